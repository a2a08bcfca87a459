/** The ordinary live copy of most tests: servers on both sides, intercept, tcpcopy, a load, and the comparison. */
import type { SummaryObject } from '../../../src/report/summary-json.ts';
import { HOSTS } from './plan.ts';
import type { Lab } from './lab.ts';
import { Nginx, type NginxOptions } from './nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram, type Stopped } from './programs.ts';
import type { RequestRecord } from './request-record.ts';
import { sleep } from './shell.ts';
import { expectPerfectCopy, type TrafficExpectation } from './traffic-check.ts';

export const TARGET = `80-${HOSTS.test.back.v4}:80`;
export const ASSISTANT = HOSTS.assistant.back.v4;
/** What a user types for the standard lab; `-i front` spares a capture of the copies themselves. */
export const STANDARD_ARGS = ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front'] as const;

/** Anything that tells which requests it got. */
export interface Recorder {
  records(): RequestRecord[];
}

export interface LiveCopyResult {
  readonly online: readonly RequestRecord[];
  readonly test: readonly RequestRecord[];
  readonly summary: SummaryObject;
  readonly stopped: Stopped;
}

export interface LiveCopyOptions extends TrafficExpectation {
  /** Replaces the standard arguments. */
  readonly args?: readonly string[];
  /** Added to the arguments. */
  readonly extraArgs?: readonly string[];
  /** Replaces those of intercept. */
  readonly interceptArgs?: readonly string[];
  readonly nginx?: NginxOptions;
  /** Longest wait for the next copy to arrive, ms. */
  readonly patience?: number;
}

/** Two nginxes, both programs, the load; then everything must have been copied perfectly and the ledger say so. */
export async function copyLive(
  lab: Lab,
  load: (tcpcopy: RunningProgram) => Promise<unknown>,
  options: LiveCopyOptions = {},
): Promise<LiveCopyResult> {
  const online = await Nginx.start(lab.host('online'), options.nginx);
  const test = await Nginx.start(lab.host('test'), options.nginx);
  const intercept = await startIntercept(lab.host('assistant'), options.interceptArgs);
  const tcpcopy = await startTcpcopy(lab.host('online'), [
    ...(options.args ?? STANDARD_ARGS),
    ...(options.extraArgs ?? []),
  ]);
  await load(tcpcopy);
  await arrived(online, test, options);
  const { summary, stopped } = await stopTcpcopy(tcpcopy);
  const interceptStopped = await intercept.stop();
  if (interceptStopped.code !== 0) throw new Error(`intercept ended badly:\n${interceptStopped.output}`);
  const result = { online: online.records(), test: test.records(), summary, stopped };
  perfect(result, options);
  return result;
}

/** The copy is perfect; the message of a failure carries what tcpcopy said of it. */
export function perfect(result: LiveCopyResult, expectation: TrafficExpectation = {}): void {
  try {
    expectPerfectCopy(result.online, result.test, expectation);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${result.stopped.output}`;
    throw error;
  }
}

/** Waits until as many requests as expected have arrived, or nothing more does. */
export async function arrived(online: Recorder, test: Recorder, options: LiveCopyOptions = {}): Promise<void> {
  const patience = options.patience ?? 5_000;
  let end = Date.now() + patience;
  let before = { sent: -1, copied: -1 };
  while (Date.now() < end) {
    await sleep(250);
    const now = { sent: online.records().length, copied: test.records().length };
    // The online server, too, may still be at it.
    if (now.sent === before.sent && now.copied >= now.sent * (options.copies ?? 1)) return;
    if (now.sent !== before.sent || now.copied !== before.copied) end = Date.now() + patience;
    before = now;
  }
}
