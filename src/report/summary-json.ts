/** The summary for machines: documented in docs/ledger.md, stable within its schema number. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DROP_REASONS } from '../core/drop-reason.ts';
import { TcpcopyError } from '../core/errors.ts';
import { toMillis, toSeconds } from '../core/time.ts';
import { CONNECTION_BUCKETS, SHED_REASONS, UNIT_BUCKETS, UNREAD_REASONS, type Ledger } from './ledger.ts';
import type { Quantiles, RunFacts } from './run-facts.ts';

const SUMMARY_SCHEMA = 'tcpcopy-summary/1';

/** A plain object: every bucket is there, zero or not; what cannot be told is null. `exitCode`: null while it runs. */
export function summaryObject(ledger: Ledger, facts: RunFacts, exitCode: number | null) {
  const { balanced } = ledger.balance();
  return {
    schema: SUMMARY_SCHEMA,
    exitCode,
    endedBy: facts.endedBy ?? null,
    elapsedSeconds: toSeconds(facts.elapsed),
    live: facts.live,
    mappings: facts.mappings,
    copies: facts.copies,
    writeFile: facts.writeFile ?? null,
    dryRun: facts.dryRun,
    recording: facts.recording ?? null,
    balanced,
    fidelityPercent: ledger.fidelity(),
    requests: {
      captured: ledger.unitsOpened,
      delivered: ledger.delivered(),
      excluded: ledger.excluded(),
      lost: ledger.lost(),
      buckets: bucketObject(UNIT_BUCKETS, ledger.units.values),
      shed: bucketObject(SHED_REASONS, ledger.shed.values),
    },
    connections: {
      captured: ledger.connectionsOpened,
      buckets: bucketObject(CONNECTION_BUCKETS, ledger.connections.values),
    },
    frames: {
      seen: ledger.framesSeen,
      segments: ledger.segments,
      kernelDropped: ledger.kernelDropped,
      dropped: bucketObject(DROP_REASONS.slice(1), ledger.frames.values.subarray(1)),
    },
    bytes: { captured: ledger.bytesCaptured, delivered: ledger.bytesDelivered, missing: ledger.bytesMissing },
    target: {
      sessions: ledger.sessionsOpened,
      responses: ledger.responses,
      responsesRead: ledger.responsesRead,
      responsesFailed: ledger.responsesFailed,
      sessionsUnread: bucketObject(UNREAD_REASONS, ledger.sessionsUnread.values),
      retransmissions: ledger.retransmissions,
      packets: facts.sent?.packets ?? null,
      bytes: facts.sent?.bytes ?? null,
      sendFailures: facts.sent?.failed ?? {},
    },
    online: {
      responsesRead: ledger.onlineRead,
      connectionsUnread: bucketObject(UNREAD_REASONS, ledger.onlineUnread.values),
    },
    governor: facts.governor
      ? {
          share: facts.governor.share,
          reason: facts.governor.reason ?? null,
          spells: facts.governor.spells,
          seconds: toSeconds(facts.governor.time),
        }
      : null,
    sources: facts.sources.map((s) => ({
      name: s.name,
      frames: s.frames,
      kernelDropped: s.kernelDropped ?? null,
      unreadable: s.unreadable.map(({ bytes, reason }) => ({ bytes, reason })),
    })),
    intercepts: facts.intercepts.map((i) => ({
      address: i.address,
      connected: i.connected,
      outages: i.outages.map(({ from, to }) => ({
        fromSeconds: toSeconds(from),
        toSeconds: to === undefined ? null : toSeconds(to),
      })),
    })),
    plugins: facts.plugins.map(({ mean, meanWait, heldUp, figures, ...rest }) => ({
      ...rest,
      meanMicroseconds: mean ?? null,
      meanWaitMicroseconds: meanWait ?? null,
      heldUp: { times: heldUp.times, longestMicroseconds: heldUp.longest },
      figures: figures.map(({ name, value, unit }) => ({ name, value, unit: unit ?? null })),
    })),
    delayMs: milliseconds(facts.lag),
    responseMs: {
      target: milliseconds(facts.responseTimes.target),
      online: milliseconds(facts.responseTimes.online),
    },
    cpuSeconds: toSeconds(facts.cpu),
    cpuWaitSeconds: facts.cpuWait === undefined ? null : toSeconds(facts.cpuWait),
    rssBytes: facts.rss,
  };
}

function milliseconds(times: Quantiles | undefined): { readonly p50: number; readonly p99: number } | null {
  return times === undefined ? null : { p50: toMillis(times.p50), p99: toMillis(times.p99) };
}

export type SummaryObject = ReturnType<typeof summaryObject>;

/**
 * Writes an object as JSON, whole or not at all: whoever waits for the file never reads half of it. A pipe or a device
 * is written to as it stands.
 */
export function writeJsonFile(path: string, object: unknown, flag = '--summary-json'): void {
  const text = `${JSON.stringify(object, null, 2)}\n`;
  const existing = statSync(path, { throwIfNoEntry: false });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    if (existing && !existing.isFile()) return writeFileSync(path, text);
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new TcpcopyError('E_FILE', `cannot be written (${(error as NodeJS.ErrnoException).code})`, {
      where: `${flag} ${path}`,
      hint: 'name a file that can be written',
      cause: error,
    });
  }
}

function bucketObject<Name extends string>(names: readonly Name[], values: Float64Array): Record<Name, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Record<Name, number>;
}
