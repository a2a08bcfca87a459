/** A diagnosis as a person reads it: how far things got, then what is wrong, each with the command that mends it. */
import type { HostRole, Plan } from './evidence.ts';
import type { Finding, Step } from './finding.ts';
import { hostPort } from './networks.ts';
import type { Stage, StageState } from './stages.ts';

const MARKS: Record<StageState, string> = { ok: 'ok', no: 'NO', none: '-', note: 'note' };
const WIDTH = 100;
const INDENT = '   ';
const PROMPTS: Record<HostRole, string> = { online: 'online#', test: 'test#', assistant: 'assistant#' };
const PROMPT_WIDTH = 'assistant#'.length;

export function titleOf(plan: Plan): string {
  const targets = plan.targets.map(({ address, port }) => hostPort(address, port));
  const from =
    plan.clients.length === 0 ? "the clients' addresses" : plan.clients.map(({ network }) => network).join(', ');
  const how = plan.targetKind === 'socket' ? 'by ordinary connections' : `from ${from}`;
  return `tcpcopy doctor: port ${plan.onlinePorts.join(', ')} to ${targets.join(', ')}, ${how}`;
}

export function screen(title: string, stages: readonly Stage[], findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...stages.map(({ name }) => name.length));
  const rows = stages.map(({ name, state, text }) =>
    `  ${MARKS[state].padEnd(4)}  ${name.padEnd(width)}  ${text}`.trimEnd(),
  );
  return [
    title,
    '',
    ...rows,
    '',
    ...verdict(findings),
    ...findings.flatMap((found, i) => ['', ...describe(found, i + 1)]),
  ];
}

function verdict(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['Nothing found.'];
  return [findings.length === 1 ? 'One thing to mend:' : `${findings.length} things to mend:`];
}

function describe({ title, certainty, reason, fix, confirm }: Finding, number: number): string[] {
  const head = certainty === 'likely' ? `Likely: ${title}` : `${title[0]!.toUpperCase()}${title.slice(1)}`;
  return [
    ...wrapped(`${number}. `, head),
    ...wrapped(INDENT, `${reason[0]!.toUpperCase()}${reason.slice(1)}.`),
    ...fix.map((step) => commandLine('fix', step)),
    ...confirm.map((step) => commandLine('look', step)),
  ];
}

function commandLine(what: string, { host, command, isOption }: Step): string {
  const text = isOption === true ? `tcpcopy … ${command}` : command;
  return `${INDENT}${what.padEnd(4)}  ${PROMPTS[host].padEnd(PROMPT_WIDTH)} ${text}`;
}

/** The first line begins with `first`, the others under it. */
function wrapped(first: string, text: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + word.length >= WIDTH && line !== first) {
      lines.push(line.trimEnd());
      line = INDENT;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines;
}
