/**
 * Where the next command begins in bytes whose beginning is not known.
 *
 * A value may contain what looks like a command, so a place counts only when from there to the end of the bytes
 * everything is commands: known by name, with as many arguments as they take, with both line ends where they belong, and
 * nothing between them. The last one may be cut off behind its name. What this cannot tell apart is a value that is a
 * sequence of commands up to the end of its segment.
 */
import { commandSpec, isContainer, takes } from './command-spec.ts';
import { COMMAND, CommandScanner, MORE } from './command-scanner.ts';

const CR = 0x0d;
const LF = 0x0a;
const ASTERISK = 0x2a;
/** More commands than these need not be looked at. */
const ENOUGH = 32;

/** Where a run of commands begins in `bytes[from, to)`; -1: nowhere. */
export function findCommand(bytes: Uint8Array, from: number, to: number): number {
  for (let at = bytes.indexOf(ASTERISK, from); at >= 0 && at < to; at = bytes.indexOf(ASTERISK, at + 1)) {
    const begins = at === from || (at >= from + 2 && bytes[at - 1] === LF && bytes[at - 2] === CR);
    if (begins && isRun(bytes, at, to)) return at;
  }
  return -1;
}

function isRun(bytes: Uint8Array, from: number, to: number): boolean {
  const scanner = new CommandScanner();
  for (let at = from, commands = 0; at < to && commands < ENOUGH; commands++) {
    scanner.reset();
    const result = bytes[at] === ASTERISK ? scanner.feed(bytes, at, to) : undefined;
    const whole = result === COMMAND;
    if (!whole && result !== MORE) return false;
    // Cut off, it has to show its name all the same, unless whole ones came before.
    if (!whole && scanner.found < 1) return commands > 0 && lineEndsHold(bytes, at, to);
    if (!isKnown(bytes, at, scanner, whole) || !lineEndsHold(bytes, at, scanner.position)) return false;
    at = scanner.position;
  }
  return true;
}

/** Whether every argument that is whole ends with CR LF, as does the line with their number. */
function isKnown(bytes: Uint8Array, start: number, scanner: CommandScanner, whole: boolean): boolean {
  const word = (index: number): string => {
    const at = start + scanner.spans[index * 2]!;
    return String.fromCharCode(...bytes.subarray(at, at + Math.min(scanner.spans[index * 2 + 1]!, 32))).toUpperCase();
  };
  for (let i = 0; i < scanner.found; i++) {
    const end = start + scanner.spans[i * 2]! + scanner.spans[i * 2 + 1]!;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) return false;
  }
  const name = word(0);
  const full = isContainer(name) && scanner.found > 1 ? `${name} ${word(1)}` : name;
  const spec = commandSpec(full);
  if (spec === undefined) return !whole && isContainer(name) && scanner.found === 1;
  return takes(spec, scanner.announced);
}

/** Whether no CR in the line of the count stands without its LF. */
function lineEndsHold(bytes: Uint8Array, start: number, end: number): boolean {
  const cr = bytes.indexOf(CR, start);
  return cr < 0 || cr + 1 >= end || bytes[cr + 1] === LF;
}
