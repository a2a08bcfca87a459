/**
 * Flags of the C programs that have nothing left to set here. They are accepted, so that an existing start script keeps
 * working, and each is answered with one line that says what does its job now.
 */
import { Option, type Command } from 'commander';
import type { ReplacedFlag } from './program.ts';

export const TCPCOPY_REPLACED_FLAGS: readonly ReplacedFlag[] = [
  { flags: '-H <ip>', replacement: 'is not used: -c sets the source addresses, of clients on localhost too' },
  { flags: '-f <num>', replacement: 'is not needed: source ports are leased from the intercept and never collide' },
  { flags: '-R <ms>', replacement: 'is not needed: round-trip times are measured (RFC 6298)' },
  { flags: '-U <kb>', replacement: 'is not needed: sessions share the memory that -m sets' },
  { flags: '-o <device>', replacement: 'is not needed: the outgoing device is taken from the routing table' },
];

export const INTERCEPT_REPLACED_FLAGS: readonly ReplacedFlag[] = [
  { flags: '-x <list>', replacement: 'is not needed: nothing is filtered on its way; narrow the capture with -F' },
  { flags: '-n <num>', replacement: 'is not needed: responses are combined as load asks for it' },
  { flags: '-s <num>', replacement: 'is not needed: responses are routed by leased port, without a hash table' },
  { flags: '-t <num>', replacement: 'is not needed: a lease ends when its tcpcopy has been silent' },
  { flags: '-q <num>', replacement: 'is not used: there is no netfilter queue; -B sets the capture buffer' },
  { flags: '-c', replacement: 'is not used: --control-key-file protects the control channel' },
  {
    flags: '-D <transfer>',
    replacement: 'is not used: capture (-i) where responses carry the published address, outside the container network',
  },
];

export function addReplacedFlags(command: Command, flags: readonly ReplacedFlag[]): void {
  for (const { flags: text } of flags) command.addOption(new Option(text).hideHelp());
}

/** One line for each such flag that was given; `raw` is what commander read. */
export function replacedFlagNotes(raw: Readonly<Record<string, unknown>>, flags: readonly ReplacedFlag[]): string[] {
  return flags
    .map(({ flags: text, replacement }) => ({ flag: text.split(' ')[0]!, replacement }))
    .filter(({ flag }) => raw[flag.slice(1)] !== undefined)
    .map(({ flag, replacement }) => `${flag} ${replacement}`);
}
