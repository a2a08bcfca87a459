/** What the whole-screen view shows, as lines of text that are cut to the screen later. */
import { seconds, toSeconds } from '../core/time.ts';
import { SHED_TEXTS, UNIT_TEXTS } from './bucket-texts.ts';
import { MANY_UNDER_WAY, type Rates } from './figure-rates.ts';
import { formatBytes, formatClock, formatCount, formatShare, formatTime, plural, wrap } from './format.ts';
import { UNIT_BUCKETS, type Ledger } from './ledger.ts';
import type { InterceptFacts, PluginFacts, Quantiles, RunFacts } from './run-facts.ts';

export interface Line {
  readonly text: string;
  readonly tone: 'plain' | 'bad' | 'title' | 'rule';
}

/** Lines that belong together; the most important first. */
export interface Section {
  readonly lines: readonly Line[];
}

const LABEL = 12;
const BARS = '▁▂▃▄▅▆▇█';

/** The first is the head of the screen. */
export function viewSections(ledger: Ledger, facts: RunFacts, rates: Rates, columns: number): readonly Section[] {
  return [
    { lines: head(ledger, facts, rates, columns) },
    { lines: flow(ledger, facts) },
    { lines: notCopied(ledger, rates) },
    { lines: plugins(facts.plugins, rates) },
  ];
}

function head(ledger: Ledger, facts: RunFacts, rates: Rates, columns: number): Line[] {
  const [clock, what] = [formatClock(facts.elapsed), facts.mappings.join(', ')];
  const title = `tcpcopy  ${what}`;
  const gap = Math.max(2, columns - title.length - clock.length);
  const lost = ledger.lost();
  const { governor, lag } = facts;
  const lines: Line[] = [
    { text: `${title}${' '.repeat(gap)}${clock}`, tone: 'title' },
    fact('Requests', `${perSecond(rates.captured)}  ${sparkline(rates.history, Math.max(0, columns - LABEL - 14))}`),
    fact('Copied', copied(ledger, rates)),
    fact(
      'Lost',
      lost === 0 ? 'nothing' : `${perSecond(rates.lost)} now, ${plural(lost, 'request')} since the start`,
      rates.lost > 0 ? 'bad' : 'plain',
    ),
    underWay(ledger.underWay(), rates.captured),
  ];
  if (governor?.reason !== undefined) {
    const share = formatShare(1 - governor.share, 1);
    const why = SHED_TEXTS[governor.reason].meaning;
    const text = wrap(`${share} left out (${governor.reason}): ${why}`, Math.max(1, columns - LABEL));
    lines.push(...text.map((line, i) => fact(i === 0 ? 'SHEDDING' : '', line, 'bad')));
  }
  const response = responseTimes(facts);
  if (response !== undefined) lines.push(fact('Response', response));
  if (lag !== undefined) lines.push(fact('Delay', `${both(lag)}, from capture to sending`));
  lines.push(
    fact('Sessions', `${formatCount(facts.sessionsOpen)} open, for ${plural(facts.connectionsOpen, 'connection')}`),
    fact('Cost', `${(rates.cpu * 100).toFixed(0)} % of a processor, ${formatBytes(facts.rss)} of memory`),
  );
  return lines;
}

function underWay(requests: number, perSecond: number): Line {
  if (requests === 0) return fact('Under way', 'nothing');
  const many = perSecond > 0 && requests > MANY_UNDER_WAY * perSecond;
  const much = many ? `, ${formatTime(seconds(requests / perSecond))} of traffic` : '';
  return fact('Under way', `${plural(requests, 'request')}${much}`, many ? 'bad' : 'plain');
}

function copied(ledger: Ledger, rates: Rates): string {
  const [delivered, lost] = [ledger.delivered(), ledger.lost()];
  if (delivered + lost === 0) return 'nothing yet';
  const settledNow = rates.delivered + rates.lost;
  const now = settledNow === 0 ? '' : `${formatShare(rates.delivered, settledNow)} now, `;
  const answered = ledger.units.get('answered');
  const of = answered === delivered ? 'all answered' : `${formatCount(answered)} answered`;
  const share = `${formatShare(delivered, delivered + lost)} since the start`;
  return `${now}${share}: ${plural(delivered, 'request')}${delivered === 0 ? '' : `, ${of}`}`;
}

/** Where packets come from and go to. */
function flow(ledger: Ledger, facts: RunFacts): Line[] {
  const lines: Line[] = [];
  for (const { name, frames, kernelDropped } of facts.sources) {
    const dropped = kernelDropped === undefined ? '' : `, ${formatCount(kernelDropped)} dropped by the kernel`;
    lines.push(
      fact('Capture', `${name}: ${plural(frames, 'frame')}${dropped}`, (kernelDropped ?? 0) > 0 ? 'bad' : 'plain'),
    );
  }
  for (const intercept of facts.intercepts)
    lines.push(fact('Intercept', interceptText(intercept), intercept.connected ? 'plain' : 'bad'));
  if (facts.sent !== undefined) {
    const failed = Object.entries(facts.sent.failed).map(([error, n]) => `, ${formatCount(n)} refused: ${error}`);
    const again = ledger.retransmissions === 0 ? '' : `, ${formatCount(ledger.retransmissions)} sent again`;
    lines.push(
      fact(
        'Sent',
        `${plural(facts.sent.packets, 'packet')}, ${formatBytes(facts.sent.bytes)}${again}${failed.join('')}`,
      ),
    );
  }
  return lines;
}

function interceptText({ address, connected, outages }: InterceptFacts): string {
  const past = outages.filter(({ to }) => to !== undefined).length;
  const before = past === 0 ? '' : `, was away ${plural(past, 'time')}${connected ? '' : ' before'}`;
  const since = connected ? undefined : outages.at(-1)?.from;
  const now = connected ? 'connected' : since === undefined ? 'AWAY' : `AWAY since ${formatClock(since)}`;
  return `${address}: ${now}${before}`;
}

function notCopied(ledger: Ledger, rates: Rates): Line[] {
  const rows = UNIT_BUCKETS.flatMap((bucket, i) => {
    const count = ledger.units.values[i]!;
    if (bucket === 'answered' || count === 0) return [];
    return [{ bucket, count, now: rates.units[i]! }];
  });
  rows.sort((a, b) => b.now - a.now || b.count - a.count);
  if (rows.length === 0) return [];
  const label = widest(rows.map(({ bucket }) => bucket));
  const number = widest(rows.map(({ count }) => formatCount(count)));
  const rate = widest(rows.map(({ now }) => perSecond(now)));
  return [
    { text: 'Requests not answered, by reason', tone: 'rule' },
    ...rows.map(({ bucket, count, now }): Line => {
      const figures = `${formatCount(count).padStart(number)}  ${perSecond(now).padStart(rate)}`;
      const text = `${bucket.padEnd(Math.max(LABEL, label + 2))}${figures}  ${UNIT_TEXTS[bucket].meaning}`;
      return { text, tone: now > 0 && bucket !== 'filtered' && bucket !== 'sampled-out' ? 'bad' : 'plain' };
    }),
  ];
}

function plugins(all: readonly PluginFacts[], rates: Rates): Line[] {
  const asked = all.filter(({ calls }) => calls > 0);
  if (asked.length === 0) return [];
  const label = widest(asked.map(({ name }) => name));
  const rate = widest(asked.map(({ name }) => perSecond(rates.pluginCalls.get(name) ?? 0)));
  const each = ({ mean }: PluginFacts): string => (mean === undefined ? '' : `${formatTime(mean)} each`);
  const time = widest(asked.map(each));
  return [
    { text: 'Plugins', tone: 'rule' },
    ...asked.map((plugin): Line => {
      const { name, mean, drops, failures, disabled } = plugin;
      const calls = rates.pluginCalls.get(name) ?? 0;
      const cpu = mean === undefined ? 0 : calls * toSeconds(mean);
      const dropped = Object.values(drops).reduce((a, b) => a + b, 0);
      const parts = [`${(cpu * 100).toFixed(1)} % of a processor`];
      if (dropped > 0) parts.push(`${formatCount(dropped)} dropped`);
      if (failures > 0) parts.push(plural(failures, 'failure'));
      if (disabled) parts.push('NOT CALLED ANY MORE');
      const text = `${name.padEnd(label + 2)}${perSecond(calls).padStart(rate)}  ${each(plugin).padStart(time)}  ${parts.join(', ')}`;
      return { text, tone: failures > 0 || disabled ? 'bad' : 'plain' };
    }),
  ];
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}

function fact(label: string, text: string, tone: Line['tone'] = 'plain'): Line {
  return { text: `${label.padEnd(LABEL)}${text}`, tone };
}

function responseTimes({ responseTimes: { target, online } }: RunFacts): string | undefined {
  const parts = [
    ...(target === undefined ? [] : [`target ${both(target)}`]),
    ...(online === undefined ? [] : [`online ${both(online)}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

function both({ p50, p99 }: Quantiles): string {
  return `${formatTime(p50)} (p99 ${formatTime(p99)})`;
}

function perSecond(rate: number): string {
  return `${rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(rate)}/s`;
}

/** The last values as bars, scaled to the highest. */
function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 1);
  return shown
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / most) * (BARS.length - 0.01)))])
    .join('');
}
