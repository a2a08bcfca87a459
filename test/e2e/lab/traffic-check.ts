/**
 * Compares what the online server got with what the test server got, from what the servers themselves wrote down. Knows
 * nothing of how the copying works.
 */
import type { RequestRecord } from './request-record.ts';

export interface TrafficDifference {
  readonly online: number;
  readonly test: number;
  /** Ids that reached online and arrived at the test server less often than asked for. */
  readonly missing: string[];
  /** Ids that arrived more often than asked for. */
  readonly duplicate: string[];
  /** Ids whose bytes differ. */
  readonly altered: string[];
  /** Ids that arrived before one that the same client connection sent earlier. */
  readonly outOfOrder: string[];
  /** Ids on a test connection that also carried requests of another client connection. */
  readonly mixed: string[];
  /** Ids the online server never saw. */
  readonly foreign: string[];
}

export interface TrafficExpectation {
  /** How often each request is to arrive (`-n`). */
  readonly copies?: number;
  /** Requests of which nothing is expected: they may arrive or not. */
  readonly optional?: (record: RequestRecord) => boolean;
}

interface Sent {
  readonly record: RequestRecord;
  /** Rank among the requests of its connection. */
  readonly rank: number;
  arrivals: number;
}

export function compareTraffic(
  online: readonly RequestRecord[],
  test: readonly RequestRecord[],
  expectation: TrafficExpectation = {},
): TrafficDifference {
  const copies = expectation.copies ?? 1;
  const sent = index(online);
  const altered: string[] = [];
  const outOfOrder: string[] = [];
  const mixed: string[] = [];
  const foreign: string[] = [];
  /** Per test connection: the client connection it carries and the highest rank seen. */
  const carried = new Map<string, { readonly from: string; rank: number }>();
  /** Per client connection: the highest rank that arrived on any test connection. */
  const reached = new Map<string, number>();

  for (const arrival of test) {
    const origin = sent.get(arrival.id);
    if (origin === undefined) {
      foreign.push(arrival.id);
      continue;
    }
    origin.arrivals += 1;
    if (arrival.fingerprint !== origin.record.fingerprint) altered.push(arrival.id);
    const from = origin.record.connection;
    const lane = carried.get(arrival.connection) ?? { from, rank: -1 };
    carried.set(arrival.connection, lane);
    if (lane.from !== from) {
      mixed.push(arrival.id);
      continue;
    }
    // A session that was opened anew must not overtake the one before it; copies (-n) run side by side.
    const last = copies === 1 ? Math.max(lane.rank, reached.get(from) ?? -1) : lane.rank;
    if (origin.rank < last) outOfOrder.push(arrival.id);
    lane.rank = Math.max(lane.rank, origin.rank);
    reached.set(from, Math.max(reached.get(from) ?? -1, origin.rank));
  }

  const all = [...sent.values()];
  const due = all.filter(({ record }) => expectation.optional?.(record) !== true);
  return {
    online: online.length,
    test: test.length,
    missing: due.filter((s) => s.arrivals < copies).map((s) => s.record.id),
    duplicate: all.filter((s) => s.arrivals > copies).map((s) => s.record.id),
    altered,
    outOfOrder,
    mixed,
    foreign,
  };
}

function index(online: readonly RequestRecord[]): Map<string, Sent> {
  const sent = new Map<string, Sent>();
  const ranks = new Map<string, number>();
  for (const record of online) {
    if (sent.has(record.id)) throw new Error(`the load sent id ${record.id} twice; ids must be unique`);
    const rank = ranks.get(record.connection) ?? 0;
    ranks.set(record.connection, rank + 1);
    sent.set(record.id, { record, rank, arrivals: 0 });
  }
  return sent;
}

const FAULTS = ['missing', 'duplicate', 'altered', 'outOfOrder', 'mixed', 'foreign'] as const;

/** One line per kind of difference; none when the copy was perfect. */
export function describeDifference(difference: TrafficDifference): string[] {
  return FAULTS.filter((fault) => difference[fault].length > 0).map((fault) => {
    const ids = difference[fault];
    const some = ids.slice(0, 5).join(', ');
    return `${fault}: ${ids.length} of ${difference.online} (${some}${ids.length > 5 ? ', …' : ''})`;
  });
}

/** Throws with all differences, unless the copy was perfect and there was something to copy. */
export function expectPerfectCopy(
  online: readonly RequestRecord[],
  test: readonly RequestRecord[],
  expectation: TrafficExpectation = {},
): TrafficDifference {
  const difference = compareTraffic(online, test, expectation);
  const faults = describeDifference(difference);
  if (difference.online === 0) faults.push('the load sent nothing');
  if (faults.length > 0) throw new Error(`copy differs from online traffic:\n${faults.join('\n')}`);
  return difference;
}
