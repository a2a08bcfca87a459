/** A diagnosis as a person reads it: how far things got, then what is wrong, each with the command that mends it. */
import type { HostRole, Plan } from './evidence.ts';
import type { Finding, Step } from './finding.ts';
import { hostPort } from './networks.ts';
import type { Stage, StageState } from './stages.ts';

const MARKS: Record<StageState, string> = { ok: 'ok', no: 'NO', none: '-', note: 'note' };
const WIDTH = 100;
const NARROWEST = 60;
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

/** How lines are marked on a terminal with colours. */
export interface Paint {
  readonly bad: (text: string) => string;
  readonly title: (text: string) => string;
  /** What to do. */
  readonly fix: (text: string) => string;
}

const PLAIN: Paint = { bad: String, title: String, fix: String };

/** `width`: columns to fill; commands are never broken. */
export function screen(
  title: string,
  stages: readonly Stage[],
  findings: readonly Finding[],
  width: number = WIDTH,
  paint: Paint = PLAIN,
): string[] {
  const columns = Math.max(NARROWEST, Math.min(width, WIDTH));
  const names = Math.max(0, ...stages.map(({ name }) => name.length));
  const rows = stages.flatMap(({ name, state, text }) => {
    const begin = `  ${MARKS[state].padEnd(4)}  ${name.padEnd(names)}  `;
    return wrapped(begin, text, ' '.repeat(begin.length), columns).map(state === 'no' ? paint.bad : String);
  });
  const found = findings.flatMap((finding, i) => ['', ...describe(finding, i + 1, columns, paint)]);
  return [...wrapped('', title, INDENT, columns).map(paint.title), '', ...rows, '', ...verdict(findings), ...found];
}

function verdict(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['Nothing found.'];
  return [findings.length === 1 ? 'One thing to mend:' : `${findings.length} things to mend:`];
}

function describe(
  { title, certainty, reason, fix, confirm }: Finding,
  number: number,
  columns: number,
  paint: Paint,
): string[] {
  const head = certainty === 'likely' ? `Likely: ${title}` : capital(title);
  return [
    ...wrapped(`${number}. `, head, INDENT, columns).map(paint.title),
    ...wrapped(INDENT, `${capital(reason)}.`, INDENT, columns),
    ...fix.map((step) => paint.fix(commandLine('fix', step))),
    ...confirm.map((step) => commandLine('look', step)),
  ];
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function commandLine(what: string, { host, command, isOption }: Step): string {
  const text = isOption === true ? `tcpcopy … ${command}` : command;
  return `${INDENT}${what.padEnd(4)}  ${PROMPTS[host].padEnd(PROMPT_WIDTH)} ${text}`;
}

/** The first line begins with `begin`, the others with `indent`. */
function wrapped(begin: string, text: string, indent: string, columns: number): string[] {
  const lines: string[] = [];
  let line = begin;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + word.length > columns) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}
