import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endWithOutput } from '../../../src/cli/ended-output.ts';

/** A process that is told to end, and says what it did. */
function rig(listeners: number) {
  const done: string[] = [];
  const [stdout, stderr] = [new EventEmitter(), new EventEmitter()];
  const state = endWithOutput(
    {
      stdout,
      stderr,
      pid: 7,
      kill: (pid, signal) => done.push(`kill ${pid} ${signal}`),
      listenerCount: () => listeners,
      exit: (code) => done.push(`exit ${code}`),
    },
    (line) => done.push(line),
  );
  const fail = (stream: EventEmitter, code: string) =>
    stream.emit('error', Object.assign(new Error(`write ${code}`), { code }));
  return { done, state, stdout, stderr, fail };
}

describe('a pipe that nobody reads any more', () => {
  it('ends the work once, and says nothing', () => {
    const { done, state, stdout, stderr, fail } = rig(1);
    fail(stdout, 'EPIPE');
    fail(stdout, 'EPIPE');
    fail(stderr, 'EPIPE');
    expect(done).toEqual(['kill 7 SIGTERM']);
    expect(state.failed).toBe(false);
  });

  it('does so behind standard error too', () => {
    const { done, stderr, fail } = rig(0);
    fail(stderr, 'EPIPE');
    expect(done).toEqual(['kill 7 SIGTERM']);
  });
});

describe('a full disk', () => {
  it('is told, ends the work, and is a failure', () => {
    const { done, state, stdout, fail } = rig(1);
    fail(stdout, 'ENOSPC');
    fail(stdout, 'ERR_STREAM_DESTROYED');
    expect(done).toEqual(['standard output cannot be written (ENOSPC) [E_FILE]', 'kill 7 SIGTERM']);
    expect(state.failed).toBe(true);
  });

  it('ends what has no orderly end at once', () => {
    const { done, stdout, fail } = rig(0);
    fail(stdout, 'ENOSPC');
    expect(done.slice(1)).toEqual(['exit 1']);
  });
});
