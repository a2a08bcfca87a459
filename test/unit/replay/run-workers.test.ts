import { describe, expect, it } from 'vitest';
import type { CopyOptions } from '../../../src/config/copy-options.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { TcpcopyError } from '../../../src/core/errors.ts';
import type { RunEnvironment, WorkerChannel } from '../../../src/core/run-environment.ts';
import { runWorkers } from '../../../src/replay/run-workers.ts';
import { errorData, type FromWorker, type ToWorker } from '../../../src/replay/worker-messages.ts';
import type { Ledger } from '../../../src/report/ledger.ts';
import type { RunFacts } from '../../../src/report/run-facts.ts';
import { ledgerFigures } from '../../../src/report/run-report.ts';
import { CONTEXT } from '../config/options-fixture.ts';
import { FACTS, ledgerOf } from '../report/ledger-fixture.ts';

/** A worker that does what the test says. */
class FakeWorker implements WorkerChannel<ToWorker, FromWorker> {
  readonly pid: number;
  readonly heard: ToWorker[] = [];
  killed = false;
  #message: (message: FromWorker) => void = () => undefined;
  #exit: (how: string) => void = () => undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  send(message: ToWorker): void {
    this.heard.push(message);
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.#message = listener;
  }
  onExit(listener: (how: string) => void): void {
    this.#exit = listener;
  }
  kill(): void {
    this.killed = true;
  }

  says(message: FromWorker): void {
    this.#message(message);
  }
  reports(ledger: Ledger, facts: Partial<RunFacts> = {}): void {
    const report = {
      ledger: ledgerFigures(ledger),
      facts: { ...FACTS, ...facts },
      lag: new Float64Array(512),
      targetTimes: new Float64Array(512),
      onlineTimes: new Float64Array(512),
    };
    this.says({ type: 'report', report });
  }
  exits(how: string): void {
    this.#exit(how);
  }
  ends(error?: Error): void {
    this.says({ type: 'ended', error: error && errorData(error) });
    this.exits('exit code 0');
  }
}

/** A run of two workers. */
class Run {
  readonly workers: FakeWorker[] = [];
  readonly lines: string[] = [];
  readonly log: string[] = [];
  readonly stop = new AbortController();
  started = 0;
  readonly over: Promise<number>;

  constructor(input: string, more: Partial<CopyOptions> = {}) {
    const raw = { map: ['80-127.0.0.1:8080'], input: [input], target: 'socket', workers: '2' };
    const options = { ...parseCopyOptions(raw, CONTEXT).options, ...more };
    const say = (message: string): void => void this.log.push(message);
    const environment: RunEnvironment = {
      log: { error: say, warn: say, info: say, debug: say },
      stdout: (line) => void this.lines.push(line),
      stopSignal: this.stop.signal,
      statsRequests: () => undefined,
      started: () => this.started++,
      fork: () => {
        const worker = new FakeWorker(100 + this.workers.length);
        this.workers.push(worker);
        return worker;
      },
    };
    this.over = runWorkers(options, environment);
    // Looked at by the tests that want to.
    this.over.catch(() => undefined);
  }

  /** `fanout`: of live traffic, the groups that the first one begins. */
  begin(fanout?: Record<string, number>): void {
    this.workers[0]!.says({ type: 'capturing', fanout });
    for (const worker of this.workers) worker.says({ type: 'started' });
  }

  get summary(): string {
    return this.lines.join('\n');
  }
}

describe('a run of several workers', () => {
  it('gives each its place, starts when all have, and tells of all as one', async () => {
    const run = new Run('a.pcap');
    expect(run.workers.map(({ heard }) => heard)).toEqual([
      [{ type: 'begin', index: 0, count: 2, fanout: undefined }],
      [{ type: 'begin', index: 1, count: 2, fanout: undefined }],
    ]);
    expect(run.workers[0]!.heard).toEqual([{ ...run.workers[1]!.heard[0], index: 0 }]);
    run.workers[0]!.says({ type: 'started' });
    expect(run.started).toBe(0);
    run.workers[1]!.says({ type: 'started' });
    expect(run.started).toBe(1);
    for (const worker of run.workers) {
      worker.reports(ledgerOf({ answered: 7 }, { replayed: 2 }), { endedBy: 'input-ended' });
      worker.ends();
    }
    expect(await run.over).toBe(0);
    expect(run.summary).toMatch(/14 requests in 4 connections/);
    expect(run.summary).toMatch(/balances/);
  });

  it('that cannot begin is the error of whoever cannot', async () => {
    const run = new Run('eth0');
    run.workers[0]!.says({ type: 'capturing', fanout: undefined });
    run.workers[1]!.ends(new TcpcopyError('E_DEVICE', 'is no device', { where: '-i eth0', hint: 'see ip link' }));
    expect(run.workers[0]!.heard.at(-1)).toEqual({ type: 'stop' });
    run.workers[0]!.ends();
    await expect(run.over).rejects.toMatchObject({ code: 'E_DEVICE', where: '-i eth0', hint: 'see ip link' });
    expect(run.started).toBe(0);
    expect(run.lines).toEqual([]);
  });

  it('of live traffic: the first begins the groups in which the others capture, too', () => {
    const run = new Run('eth0');
    expect(run.workers.map(({ heard }) => heard)).toEqual([[{ type: 'begin', index: 0, count: 2, fanout: 'new' }]]);
    run.begin({ eth0: 7 });
    expect(run.workers[1]!.heard).toEqual([{ type: 'begin', index: 1, count: 2, fanout: { eth0: 7 } }]);
    expect(run.started).toBe(1);
    run.workers[0]!.exits('SIGKILL');
    expect(run.workers[2]!.heard).toEqual([{ type: 'begin', index: 0, count: 2, fanout: { eth0: 7 } }]);
    run.workers[2]!.says({ type: 'capturing', fanout: { eth0: 7 } });
    expect(run.workers).toHaveLength(3);
  });

  it('of live traffic replaces one that dies, and counts what it had under way', async () => {
    const run = new Run('eth0');
    run.begin();
    const ledger = ledgerOf({ answered: 3 }, { replayed: 1 });
    ledger.unitsOpened += 2;
    ledger.connectionsOpened += 1;
    run.workers[1]!.reports(ledger, { connectionsOpen: 1, endedBy: undefined });
    run.workers[1]!.exits('SIGKILL');
    expect(run.log.at(-1)).toMatch(/worker 2 \(process 101\) died: SIGKILL; 1 connection under way.*worker-lost/);
    expect(run.workers).toHaveLength(3);
    expect(run.workers[2]!.heard[0]).toMatchObject({ type: 'begin', index: 1, count: 2 });
    run.workers[2]!.says({ type: 'started' });
    expect(run.log.at(-1)).toBe('worker 2 copies again (process 102)');
    run.stop.abort('SIGINT');
    for (const worker of [run.workers[0]!, run.workers[2]!]) {
      expect(worker.heard.at(-1)).toEqual({ type: 'stop' });
      worker.reports(ledgerOf({ answered: 1 }, { replayed: 1 }));
      worker.ends();
    }
    expect(await run.over).toBe(0);
    expect(run.summary).toMatch(/worker-lost +2/);
    expect(run.summary).toMatch(/Captured +7 requests in 4 connections/);
    expect(run.summary).toMatch(/balances/);
  });

  it('fails when one of a recording dies, since nobody can say what had been sent', async () => {
    const run = new Run('a.pcap');
    run.begin();
    run.workers[0]!.reports(ledgerOf({ answered: 3 }, { replayed: 1 }));
    run.workers[0]!.exits('SIGSEGV');
    expect(run.workers).toHaveLength(2);
    run.workers[1]!.reports(ledgerOf({ answered: 1 }, { replayed: 1 }));
    run.workers[1]!.ends();
    await expect(run.over).rejects.toMatchObject({ code: 'E_WORKER' });
    expect(run.summary).toMatch(/4 requests in 2 connections/);
  });

  it('fails when they keep dying', async () => {
    const run = new Run('eth0');
    run.begin();
    for (let i = 0; i < 5; i++) {
      const worker = run.workers.at(-1)!;
      worker.reports(ledgerOf({}));
      worker.exits('SIGKILL');
    }
    expect(run.workers).toHaveLength(6);
    run.workers[0]!.ends();
    await expect(run.over).rejects.toThrow(/5 workers have died within a minute/);
  });

  it('passes on what they log, and what all say alike only once', async () => {
    const run = new Run('a.pcap');
    for (const worker of run.workers) {
      worker.says({ type: 'log', level: 'info', message: 'copying', fields: undefined });
      worker.says({ type: 'log', level: 'warn', message: `careful ${worker.pid}`, fields: undefined });
    }
    run.begin();
    expect(run.log).toEqual(['copying', 'careful 100', 'careful 101', '2 workers share the connections']);
    for (const worker of run.workers) {
      worker.reports(ledgerOf({}));
      worker.ends();
    }
    await run.over;
  });
});
