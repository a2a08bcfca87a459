/**
 * The portable backends, `cap` and `raw-socket`, against a real kernel in a namespace of its own. Needs root, and the two
 * packages built.
 */
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRawSocket } from '../../src/inject/raw-socket-module.ts';
import { isRoot, makeLab, type Lab } from './io/lab.ts';

/** Not loaded here: `cap` cannot be loaded twice in one process. */
function capIsBuilt(): boolean {
  try {
    createRequire(import.meta.url).resolve('cap/build/Release/cap.node');
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isRoot || !capIsBuilt() || 'reason' in loadRawSocket())('libpcap source and raw-socket sink', () => {
  let lab: Lab;
  const run = (scenario: string) => lab.run(scenario, 'portable-scenarios.ts');
  beforeEach(() => {
    lab = makeLab('portable');
  });
  afterEach(() => lab.remove());

  it('delivers what was captured before it was stopped, in the chosen direction', async () => {
    expect(await run('stopAtOnce')).toEqual({
      a: 0,
      out: 150,
      flags: [4],
      ip4: 100,
      ip6: 50,
      inOrder: true,
      ethernet: true,
      timesSane: true,
      sent: { packets: 200, bytes: 29_000, failed: {} },
    });
  });

  it('keeps the bytes of every frame of a burst', async () => {
    expect(await run('burst')).toEqual({ frames: 240, whole: 240 });
  });

  it('shows packets on loopback once', async () => {
    expect(await run('loopback')).toEqual({ in: [100, 113], both: [100, 113], any: [100, 113] });
  });

  it('survives the loss of the device, which aborts cap', async () => {
    expect(await run('linkDown')).toEqual({
      code: 'E_DEVICE',
      frames: 50,
      opening: 'io-b: the device is down; bring it up: ip link set io-b up [E_DEVICE]',
    });
  });

  it('says in one line what is wrong with device and filter', async () => {
    const { device, filter } = await run('errors');
    expect(device).toMatch(/^io-nowhere: no such network device; devices here: .*io-b.* \[E_DEVICE\]$/);
    expect(filter).toMatch(/^-F: .*syntax error.* \[E_FILTER\]$/);
  });

  it('reports each refused packet by errno name and goes on with the next', async () => {
    expect(await run('refused')).toEqual({
      frames: 3,
      failures: ['EMSGSIZE', 'ENETUNREACH', 'EINVAL'],
      stats: { packets: 3, bytes: 420, failed: { EMSGSIZE: 1, ENETUNREACH: 1, EINVAL: 1 } },
    });
  });

  it('drops and counts when nobody polls, instead of growing', async () => {
    const { sent, frames, kernelDropped } = await run('overload');
    expect(frames).toBeGreaterThan(5_000);
    expect(kernelDropped).toBeGreaterThan(0);
    expect(Number(frames) + Number(kernelDropped)).toBeLessThanOrEqual(Number(sent));
  });
});
