/** What the summary says of the run itself: sources, intercepts, plugins, times, resources. A line each. */
import type { Counters } from '../core/counters.ts';
import { micros } from '../core/time.ts';
import { formatBytes, formatCount, formatShare, formatTime, plural } from './format.ts';
import type { Ledger, UnreadReason } from './ledger.ts';
import type { GovernorFacts, InterceptFacts, PluginFacts, Quantiles, RunFacts, SourceFacts } from './run-facts.ts';

/** With fewer the CPU time is mostly that of starting. */
const ENOUGH_REQUESTS = 5_000;
/** Share of the time that was spent waiting for a processor. */
const MUCH_WAITING = 0.1;

export function responseTimesText({ responseTimes: { target, online } }: RunFacts): string | undefined {
  const text = (of: Quantiles | undefined, whose: string): string[] =>
    of === undefined ? [] : [`${whose} ${quantilesText(of)}`];
  const parts = [...text(target, 'target'), ...text(online, 'online server')];
  return parts.length === 0 ? undefined : parts.join('; ');
}

export function quantilesText({ p50, p99 }: Quantiles): string {
  return `${formatTime(p50)} median, ${formatTime(p99)} p99`;
}

export function sheddingText({ share, reasons, spells, time }: GovernorFacts, endedBy: RunFacts['endedBy']): string {
  const when = endedBy === undefined ? 'are copied now' : 'were copied at the end';
  const now = share < 1 ? `; ${formatShare(share, 1)} of the connections ${when}` : '';
  const often =
    spells === 1 ? `once, for ${formatTime(time)}` : `${plural(spells, 'time')}, for ${formatTime(time)} in all`;
  return `${often} (${reasons.join(', ')})${now}`;
}

/** Those worth a line: where one protocol was seen, others of which nothing was seen are not. */
export function toldPlugins(plugins: readonly PluginFacts[]): readonly PluginFacts[] {
  const unseen = plugins.filter(isUnseenProtocol);
  const protocols = plugins.filter(isProtocol);
  return unseen.length === protocols.length ? plugins : plugins.filter((plugin) => !unseen.includes(plugin));
}

/** A protocol's plugin is asked nothing, and has figures only. */
function isProtocol({ calls, figures }: PluginFacts): boolean {
  return calls === 0 && figures.length > 0;
}

function isUnseenProtocol(plugin: PluginFacts): boolean {
  const quiet = plugin.failures === 0 && plugin.heldUp.times === 0 && Object.keys(plugin.drops).length === 0;
  return isProtocol(plugin) && quiet && plugin.figures.every(({ value }) => value === 0);
}

/** Figures of 0 are left out, but for the first of a protocol of which nothing was seen. */
export function pluginText(plugin: PluginFacts): string {
  const { name, calls, mean, meanWait, heldUp, drops, failures, disabled, figures } = plugin;
  const time = mean === undefined ? '' : `, ${formatTime(mean)} each`;
  const wait = meanWait === undefined ? '' : `, answers after ${formatTime(meanWait)}`;
  const parts = isProtocol(plugin) ? [] : [`${plural(calls, 'call')}${time}${wait}`];
  if (heldUp.times > 0) {
    parts.push(`held everything up ${plural(heldUp.times, 'time')}, for ${formatTime(heldUp.longest)} at most`);
  }
  for (const [reason, count] of Object.entries(drops)) parts.push(`${formatCount(count)} dropped (${reason})`);
  if (failures > 0) parts.push(`failed ${plural(failures, 'time')}${disabled ? ', and was switched off' : ''}`);
  const told = figures.filter(({ value }) => value !== 0);
  if (told.length === 0 && parts.length === 0) told.push(...figures.slice(0, 1));
  for (const { name: figure, value, unit } of told) {
    parts.push(`${figure} ${formatCount(value)}${unit === undefined ? '' : ` ${unit}`}`);
  }
  return `${name}: ${parts.join('; ')}`;
}

export function losesFrames(source: SourceFacts): boolean {
  return (source.kernelDropped ?? 0) > 0 || source.unreadable.length > 0;
}

export function sourceText(source: SourceFacts, live: boolean): string {
  const dropped =
    source.kernelDropped === undefined || !live ? '' : `, ${formatCount(source.kernelDropped)} dropped by the kernel`;
  const unreadable = source.unreadable.map((u) => `; ${formatBytes(u.bytes)} unreadable: ${u.reason}`).join('');
  return `${source.name}: ${plural(source.frames, 'frame')}${dropped}${unreadable}`;
}

export function interceptText({ address, connected, outages }: InterceptFacts): string {
  if (outages.length === 0) return `${address}: connected all the time`;
  const away = outages.filter((o) => o.to !== undefined).reduce((sum, o) => sum + (o.to! - o.from), 0);
  const spans = `away ${outages.length === 1 ? 'once' : `${outages.length} times`}, ${formatTime(micros(away))} in all`;
  return connected
    ? `${address}: ${spans}`
    : `${address}: away now, since ${formatTime(outages.at(-1)!.from)} after the start`;
}

export function sentText(ledger: Ledger, facts: RunFacts): string {
  const { packets, bytes, failed } = facts.sent!;
  const refused = Object.entries(failed).map(([errno, n]) => `${errno} ${formatCount(n)} times`);
  const parts = [`${plural(packets, 'packet')}, ${formatBytes(bytes)}`, plural(ledger.sessionsOpened, 'session')];
  if (ledger.retransmissions > 0) parts.push(plural(ledger.retransmissions, 'retransmission'));
  if (refused.length > 0) parts.push(`refused by the kernel: ${refused.join(', ')}`);
  return parts.join(', ');
}

/** `undefined`: none were asked for. */
export function responsesText(read: number, unread: Counters<UnreadReason>, unit: string): string | undefined {
  const reasons = { cut: 'bytes were missing', 'not-understood': 'not understood', 'plugin-error': 'a plugin failed' };
  const parts = Object.entries(unread.toJSON()).map(
    ([reason, n]) => `${plural(n, unit)} not read to the end (${reasons[reason as UnreadReason]})`,
  );
  return read === 0 && parts.length === 0 ? undefined : [`${formatCount(read)} read`, ...parts].join('; ');
}

export function resourcesText(facts: RunFacts, requests: number): string {
  const perRequest = requests < ENOUGH_REQUESTS ? '' : ` (${formatTime(micros(facts.cpu / requests))} a request)`;
  const { cpuWait } = facts;
  const waited = waitedMuch(facts) ? `, ${formatTime(cpuWait!)} of waiting for a processor` : '';
  return `CPU ${formatTime(facts.cpu)}${perRequest}${waited}, memory ${formatBytes(facts.rss)}`;
}

/** Whether the process had to wait for this host's processors so long that what was late may have been so for that. */
export function waitedMuch({ cpuWait = micros(0), elapsed }: Pick<RunFacts, 'cpuWait' | 'elapsed'>): boolean {
  return cpuWait > MUCH_WAITING * elapsed;
}
