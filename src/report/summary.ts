/** The summary: what was captured, what arrived, what did not and why, for someone who has not read the manual. */
import pc from 'picocolors';
import {
  BUSY_HOST_SHED_TEXTS,
  BUSY_HOST_UNIT_TEXTS,
  CONNECTION_TEXTS,
  FRAME_TEXTS,
  UNIT_TEXTS,
  SHED_TEXTS,
  unsentConnectionTexts,
  unsentUnitTexts,
  type Unsent,
} from './bucket-texts.ts';
import { formatBytes, formatCount, formatShare, formatTime, plural } from './format.ts';
import { CONNECTION_BUCKETS, SHED_REASONS, UNIT_BUCKETS, type Ledger } from './ledger.ts';
import { DROP_REASONS } from '../core/drop-reason.ts';
import type { RecordingFacts, RunFacts } from './run-facts.ts';
import {
  interceptText,
  losesFrames,
  pluginText,
  quantilesText,
  resourcesText,
  responsesText,
  responseTimesText,
  sentText,
  sheddingText,
  sourceText,
  toldPlugins,
  waitedMuch,
} from './run-texts.ts';
import { Page, tableColumns } from './summary-page.ts';

export interface SummaryLayout {
  /** Default 100. */
  readonly columns?: number | undefined;
  readonly colors?: boolean | undefined;
}

/** Lines without line ends. */
export function summaryLines(ledger: Ledger, facts: RunFacts, layout: SummaryLayout = {}): string[] {
  const page = new Page(layout.columns ?? 100, tableColumns(ledger), pc.createColors(layout.colors ?? false));
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
  if (facts.lag) page.fact('Delay', `${quantilesText(facts.lag)}, from capture to sending`);
  const times = responseTimesText(facts);
  if (times !== undefined) page.fact('Response', times);
  for (const plugin of toldPlugins(facts.plugins)) {
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
  page.fact(unsent === undefined ? 'Arrived' : DELIVERED[unsent], arrivedText(ledger, wanted, unsent, facts.live));
  if (excluded > 0) page.fact('Left out', `${plural(excluded, 'request')}, as asked for`);
  page.fact('Lost', lostText(ledger, wanted), ledger.lost() > 0 ? 'bad' : 'plain');
  if (facts.recording !== undefined) addRecording(page, facts.recording);

  const busy = waitedMuch(facts);
  page.table(
    'Requests',
    UNIT_BUCKETS,
    ledger.units.values,
    unsent !== undefined ? unsentUnitTexts(unsent) : busy ? BUSY_HOST_UNIT_TEXTS : UNIT_TEXTS,
  );
  page.table('Shed', SHED_REASONS, ledger.shed.values, busy ? BUSY_HOST_SHED_TEXTS : SHED_TEXTS);
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

function nothingText(live: boolean): string {
  return live
    ? 'nothing: no client data of what -x selects was seen on this input (-i, -F)'
    : 'nothing: no client data of what -x selects is in it; tcpcopy inspect lists what is';
}

function arrivedText(ledger: Ledger, wanted: number, unsent: Unsent | undefined, live: boolean): string {
  if (ledger.unitsOpened === 0) return nothingText(live);
  const answered = unsent !== undefined ? '' : `; ${formatCount(ledger.units.get('answered'))} answered`;
  const delivered = ledger.delivered();
  if (wanted === 0) return 'nothing, as asked for';
  return `${plural(delivered, 'request')}, ${formatShare(delivered, wanted)} of those to be ${unsent === 'recorded' ? 'recorded' : 'copied'}${answered}`;
}

function lostText(ledger: Ledger, wanted: number): string {
  const underWay = ledger.underWay();
  const lost =
    ledger.lost() === 0 ? 'nothing' : `${plural(ledger.lost(), 'request')}, ${formatShare(ledger.lost(), wanted)}`;
  return underWay > 0 ? `${lost}; ${formatCount(underWay)} under way` : lost;
}
