/** The summary: what was captured, what arrived, what did not and why, for someone who has not read the manual. */
import pc from 'picocolors';
import type { Counters } from '../core/counters.ts';
import { micros } from '../core/time.ts';
import {
  CONNECTION_TEXTS,
  FRAME_TEXTS,
  UNIT_TEXTS,
  SHED_TEXTS,
  unsentConnectionTexts,
  unsentUnitTexts,
  type BucketText,
  type Unsent,
} from './bucket-texts.ts';
import { formatBytes, formatCount, formatShare, formatTime, plural, wrap } from './format.ts';
import { CONNECTION_BUCKETS, SHED_REASONS, UNIT_BUCKETS, type Ledger, type UnreadReason } from './ledger.ts';
import { DROP_REASONS } from '../core/drop-reason.ts';
import type {
  GovernorFacts,
  InterceptFacts,
  PluginFacts,
  RecordingFacts,
  RunFacts,
  SourceFacts,
  Quantiles,
} from './run-facts.ts';

export interface SummaryLayout {
  /** Default 100. */
  readonly columns?: number | undefined;
  readonly colors?: boolean | undefined;
}

const LABEL = 14;
const SHARE = 9;
const INDENT = 2;
const LEAST_COLUMNS = 64;
/** With fewer the CPU time is mostly that of starting. */
const ENOUGH_REQUESTS = 5_000;

/** Lines without line ends. */
export function summaryLines(ledger: Ledger, facts: RunFacts, layout: SummaryLayout = {}): string[] {
  const page = new Page(
    Math.max(LEAST_COLUMNS, layout.columns ?? 100),
    tableColumns(ledger),
    pc.createColors(layout.colors ?? false),
  );
  page.title(titleOf(facts));
  const unsent = unsentOf(facts);
  if (facts.recording?.asCaptured === true) addRecording(page, facts.recording);
  else addRequests(page, ledger, facts, unsent);
  const frameReasons = DROP_REASONS.slice(1) as Exclude<(typeof DROP_REASONS)[number], 'none'>[];
  page.table('Frames not used', frameReasons, ledger.frames.values.subarray(1), FRAME_TEXTS);

  page.heading('Run');
  for (const source of facts.sources)
    page.fact('Capture', sourceText(source, facts.live), losesFrames(source) ? 'bad' : 'plain');
  for (const intercept of facts.intercepts) {
    page.fact('Intercept', interceptText(intercept), intercept.outages.length > 0 ? 'bad' : 'plain');
  }
  if (facts.sent) page.fact(unsent === undefined ? 'Sent' : 'Packets', sentText(ledger, facts));
  const responses = responsesText(ledger.responsesRead, ledger.sessionsUnread, 'session');
  if (responses !== undefined) page.fact('Responses', responses);
  const online = responsesText(ledger.onlineRead, ledger.onlineUnread, 'connection');
  if (online !== undefined) page.fact('Online', `${online}; responses of the online server`);
  if (facts.lag) page.fact('Delay', `${quantiles(facts.lag)}, from capture to sending`);
  const times = responseTimesText(facts);
  if (times !== undefined) page.fact('Response', times);
  for (const plugin of facts.plugins) {
    page.fact('Plugin', pluginText(plugin), plugin.failures > 0 || plugin.heldUp.times > 0 ? 'bad' : 'plain');
  }
  const { governor } = facts;
  if (governor !== undefined && governor.spells > 0)
    page.fact('Shedding', sheddingText(governor, facts.endedBy), 'bad');
  page.fact('Resources', resourcesText(facts, ledger.unitsOpened));
  const { balanced } = ledger.balance();
  page.fact(
    'Ledger',
    balanced
      ? 'balances: everything above is accounted for exactly once'
      : 'DOES NOT BALANCE: these figures cannot be trusted; please report it',
    balanced ? 'plain' : 'bad',
  );
  return page.lines;
}

function responseTimesText({ responseTimes: { target, online } }: RunFacts): string | undefined {
  const text = (of: Quantiles | undefined, whose: string): string[] =>
    of === undefined ? [] : [`${whose} ${quantiles(of)}`];
  const parts = [...text(target, 'target'), ...text(online, 'online server')];
  return parts.length === 0 ? undefined : parts.join('; ');
}

function quantiles({ p50, p99 }: Quantiles): string {
  return `${formatTime(p50)} median, ${formatTime(p99)} p99`;
}

function sheddingText({ share, spells, time }: GovernorFacts, endedBy: RunFacts['endedBy']): string {
  const when = endedBy === undefined ? 'are copied now' : 'were copied at the end';
  const now = share < 1 ? `; ${formatShare(share, 1)} of the connections ${when}` : '';
  return `${spells === 1 ? 'once' : plural(spells, 'time')}, for ${formatTime(time)}${spells === 1 ? '' : ' in all'}${now}`;
}

interface TableColumns {
  readonly label: number;
  readonly number: number;
}

/** Of all tables together, so that they stand in line, and as narrow as they can be, so that meanings have room. */
function tableColumns(ledger: Ledger): TableColumns {
  const tables = [
    { names: UNIT_BUCKETS, counters: ledger.units },
    { names: SHED_REASONS, counters: ledger.shed },
    { names: CONNECTION_BUCKETS, counters: ledger.connections },
    { names: DROP_REASONS, counters: ledger.frames },
  ];
  const rows = tables.flatMap(({ names, counters: { values } }) =>
    names.map((name, i) => ({ name, n: values[i]! })).filter(({ n }) => n !== 0),
  );
  return {
    label: Math.max(LABEL, ...rows.map(({ name }) => name.length + 2)),
    number: Math.max(0, ...rows.map(({ n }) => formatCount(n).length)),
  };
}

function unsentOf({ writeFile, dryRun, recording }: RunFacts): Unsent | undefined {
  if (recording !== undefined) return 'recorded';
  if (writeFile !== undefined) return 'written';
  return dryRun ? 'listed' : undefined;
}

const DELIVERED = { listed: 'Would arrive', written: 'Written', recorded: 'Recorded' };

function addRequests(page: Page, ledger: Ledger, facts: RunFacts, unsent: Unsent | undefined): void {
  const excluded = ledger.excluded();
  const wanted = ledger.unitsOpened - excluded;
  page.fact(
    'Captured',
    `${plural(ledger.unitsOpened, 'request')} in ${plural(ledger.connectionsOpened, 'connection')}, ` +
      `${formatBytes(ledger.bytesCaptured)} of client data` +
      (facts.copies > 1 ? `; requests are counted in each of the ${facts.copies} copies` : ''),
  );
  page.fact(unsent === undefined ? 'Arrived' : DELIVERED[unsent], arrivedText(ledger, wanted, unsent));
  if (excluded > 0) page.fact('Left out', `${plural(excluded, 'request')}, as asked for`);
  page.fact('Lost', lostText(ledger, wanted), ledger.lost() > 0 ? 'bad' : 'plain');
  if (facts.recording !== undefined) addRecording(page, facts.recording);

  page.table(
    'Requests',
    UNIT_BUCKETS,
    ledger.units.values,
    unsent === undefined ? UNIT_TEXTS : unsentUnitTexts(unsent),
  );
  page.table('Shed', SHED_REASONS, ledger.shed.values, SHED_TEXTS);
  const connectionTexts = unsent === undefined ? CONNECTION_TEXTS : unsentConnectionTexts(unsent);
  page.table('Connections', CONNECTION_BUCKETS, ledger.connections.values, connectionTexts);
}

function addRecording(page: Page, { files, removed, packets, bytes, failed }: RecordingFacts): void {
  const gone = removed === 0 ? '' : `; ${plural(removed, 'older file')} removed`;
  const [first, last] = [files[0] ?? 'no file', files.at(-1)];
  const names = files.length < 2 ? first : `${first} to ${last}`;
  page.fact(
    'Files',
    `${plural(packets, 'packet')}, ${formatBytes(bytes)} in ${plural(files.length + removed, 'file')}${gone}: ${names}`,
  );
  if (failed > 0) page.fact('Not written', plural(failed, 'packet'), 'bad');
}

function titleOf(facts: RunFacts): string {
  const from = facts.sources.map((s) => s.name).join(', ');
  const input = `${facts.live ? 'live from' : 'recording'} ${from === '' ? 'nothing' : from}`;
  const what = facts.mappings.join(', ');
  const to = {
    none: what,
    listed: `${what}, dry run`,
    written: `${what}, written to ${facts.writeFile}`,
    recorded: `${what}, recorded`,
  }[unsentOf(facts) ?? 'none'];
  const end = { stopped: ', stopped', 'input-ended': ', to its end', failed: ', broken off', none: ' so far' }[
    facts.endedBy ?? 'none'
  ];
  return `${formatTime(facts.elapsed)}${end}: ${input}, ${to}`;
}

function arrivedText(ledger: Ledger, wanted: number, unsent: Unsent | undefined): string {
  if (ledger.unitsOpened === 0) return 'nothing: no client data of what -x selects was seen on this input (-i, -F)';
  const answered = unsent !== undefined ? '' : `; ${formatCount(ledger.units.get('answered'))} answered`;
  const delivered = ledger.delivered();
  if (wanted === 0) return 'nothing, as asked for';
  return `${plural(delivered, 'request')}, ${formatShare(delivered, wanted)} of those to be ${unsent === 'recorded' ? 'recorded' : 'copied'}${answered}`;
}

function lostText(ledger: Ledger, wanted: number): string {
  const underWay = wanted - ledger.delivered() - ledger.lost();
  const lost =
    ledger.lost() === 0 ? 'nothing' : `${plural(ledger.lost(), 'request')}, ${formatShare(ledger.lost(), wanted)}`;
  return underWay > 0 ? `${lost}; ${formatCount(underWay)} under way` : lost;
}

function pluginText({ name, calls, mean, meanWait, heldUp, drops, failures, disabled, figures }: PluginFacts): string {
  const time = mean === undefined ? '' : `, ${formatTime(mean)} each`;
  const wait = meanWait === undefined ? '' : `, answers after ${formatTime(meanWait)}`;
  // A protocol's plugin is asked nothing, and has figures only.
  const parts = calls === 0 && figures.length > 0 ? [] : [`${plural(calls, 'call')}${time}${wait}`];
  if (heldUp.times > 0) {
    parts.push(`held everything up ${plural(heldUp.times, 'time')}, for ${formatTime(heldUp.longest)} at most`);
  }
  for (const [reason, count] of Object.entries(drops)) parts.push(`${formatCount(count)} dropped (${reason})`);
  if (failures > 0) parts.push(`failed ${plural(failures, 'time')}${disabled ? ', and was switched off' : ''}`);
  for (const { name: figure, value, unit } of figures) {
    parts.push(`${figure} ${formatCount(value)}${unit === undefined ? '' : ` ${unit}`}`);
  }
  return `${name}: ${parts.join('; ')}`;
}

function losesFrames(source: SourceFacts): boolean {
  return (source.kernelDropped ?? 0) > 0 || source.unreadable.length > 0;
}

function sourceText(source: SourceFacts, live: boolean): string {
  const dropped =
    source.kernelDropped === undefined || !live ? '' : `, ${formatCount(source.kernelDropped)} dropped by the kernel`;
  const unreadable = source.unreadable.map((u) => `; ${formatBytes(u.bytes)} unreadable: ${u.reason}`).join('');
  return `${source.name}: ${plural(source.frames, 'frame')}${dropped}${unreadable}`;
}

function interceptText({ address, connected, outages }: InterceptFacts): string {
  if (outages.length === 0) return `${address}: connected all the time`;
  const away = outages.filter((o) => o.to !== undefined).reduce((sum, o) => sum + (o.to! - o.from), 0);
  const spans = `away ${outages.length === 1 ? 'once' : `${outages.length} times`}, ${formatTime(micros(away))} in all`;
  return connected
    ? `${address}: ${spans}`
    : `${address}: away now, since ${formatTime(outages.at(-1)!.from)} after the start`;
}

function sentText(ledger: Ledger, facts: RunFacts): string {
  const { packets, bytes, failed } = facts.sent!;
  const refused = Object.entries(failed).map(([errno, n]) => `${errno} ${formatCount(n)} times`);
  const parts = [`${plural(packets, 'packet')}, ${formatBytes(bytes)}`, plural(ledger.sessionsOpened, 'session')];
  if (ledger.retransmissions > 0) parts.push(plural(ledger.retransmissions, 'retransmission'));
  if (refused.length > 0) parts.push(`refused by the kernel: ${refused.join(', ')}`);
  return parts.join(', ');
}

/** `undefined`: none were asked for. */
function responsesText(read: number, unread: Counters<UnreadReason>, unit: string): string | undefined {
  const reasons = { cut: 'bytes were missing', 'not-understood': 'not understood', 'plugin-error': 'a plugin failed' };
  const parts = Object.entries(unread.toJSON()).map(
    ([reason, n]) => `${plural(n, unit)} not read to the end (${reasons[reason as UnreadReason]})`,
  );
  return read === 0 && parts.length === 0 ? undefined : [`${formatCount(read)} read`, ...parts].join('; ');
}

function resourcesText(facts: RunFacts, requests: number): string {
  const perRequest = requests < ENOUGH_REQUESTS ? '' : ` (${formatTime(micros(facts.cpu / requests))} a request)`;
  return `CPU ${formatTime(facts.cpu)}${perRequest}, memory ${formatBytes(facts.rss)}`;
}

/**
 * Two columns of facts and four of tables, within a width. Red and magenta can be read on dark and on light terminals; yellow
 * and green cannot on the latter.
 */
class Page {
  readonly lines: string[] = [];
  readonly #width: number;
  readonly #table: TableColumns;
  /** One piece of advice is given once. */
  readonly #hints = new Set<string>();
  readonly #colors: ReturnType<typeof pc.createColors>;

  constructor(width: number, table: TableColumns, colors: ReturnType<typeof pc.createColors>) {
    this.#width = width;
    this.#table = table;
    this.#colors = colors;
  }

  title(text: string): void {
    this.lines.push('', ...wrap(text, this.#width).map((line) => this.#colors.bold(line)), '');
  }

  heading(text: string): void {
    this.lines.push('', ' '.repeat(INDENT) + this.#colors.bold(text));
  }

  fact(label: string, text: string, tone: 'plain' | 'bad' = 'plain'): void {
    const start = ' '.repeat(INDENT) + label.padEnd(LABEL);
    this.#hanging(start, text, tone === 'bad' ? this.#colors.red : String);
  }

  /** Rows of what is not zero, with their meanings; nothing when all is. */
  table<Name extends string>(
    title: string,
    names: readonly Name[],
    values: Float64Array,
    texts: Readonly<Record<Name, BucketText>>,
  ): void {
    const total = values.reduce((a, b) => a + b, 0);
    if (total === 0) return;
    this.heading(title);
    const { label, number } = this.#table;
    names.forEach((name, i) => {
      const n = values[i]!;
      if (n === 0) return;
      const { meaning, hint } = texts[name];
      const start =
        ' '.repeat(INDENT) +
        name.padEnd(label) +
        formatCount(n).padStart(number) +
        formatShare(n, total).padStart(SHARE) +
        '  ';
      this.#hanging(start, meaning);
      if (hint !== undefined && !this.#hints.has(hint)) {
        this.#hints.add(hint);
        this.#hanging(' '.repeat(start.length), `→ ${hint}`, this.#colors.magenta);
      }
    });
  }

  #hanging(start: string, text: string, paint: (text: string) => string = String): void {
    const width = Math.max(20, this.#width - start.length);
    wrap(text, width).forEach((line, i) => this.lines.push((i === 0 ? start : ' '.repeat(start.length)) + paint(line)));
  }
}
