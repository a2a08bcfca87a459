/** What is known of a command, looked up by its name. */
import { COMMANDS, CONTAINERS, type CommandKind } from './command-table.ts';

export interface CommandSpec {
  /** In upper case, with the subcommand where there is one: `GET`, `CONFIG SET`. */
  readonly name: string;
  readonly kind: CommandKind;
  readonly blocking: boolean;
  /** Arguments with the name; negative where more may follow. */
  readonly arity: number;
  /** Where its keys are; see `CommandRow`. */
  readonly keys: readonly KeySpec[];
}

/** One part of where keys are. */
export type KeySpec =
  | { readonly at: number; readonly to: number; readonly step: number }
  | { readonly countAt: number }
  | { readonly word: string; readonly from: number; readonly half: boolean }
  | { readonly own: 'SORT' | 'MIGRATE' };

const SPECS: ReadonlyMap<string, CommandSpec> = new Map(
  COMMANDS.flatMap(({ kind, keys, blocking = false, commands }) => {
    const parsed = keys.split(' ').filter(Boolean).map(parseKeySpec);
    return commands
      .trim()
      .split(/\s+/)
      .map((text) => {
        const [name, arity] = text.replace('|', ' ').split(':') as [string, string];
        return [name, { name, kind, blocking, arity: Number(arity), keys: parsed }] as const;
      });
  }),
);

/** Of a command by its full name; `undefined` for what no table knows, as a module's. */
export function commandSpec(name: string): CommandSpec | undefined {
  return SPECS.get(name);
}

export function commandNames(): readonly string[] {
  return [...SPECS.keys()];
}

/** Whether the argument behind `name` belongs to it. */
export function isContainer(name: string): boolean {
  return CONTAINERS.has(name);
}

/** Whether a command may have so many arguments, its name counted. */
export function takes({ arity }: CommandSpec, argumentCount: number): boolean {
  return arity >= 0 ? argumentCount === arity : argumentCount >= -arity;
}

function parseKeySpec(text: string): KeySpec {
  if (text === 'SORT' || text === 'MIGRATE') return { own: text };
  if (text.startsWith('#')) return { countAt: Number(text.slice(1)) };
  if (text.includes('@')) {
    const [word, from] = text.split('@') as [string, string];
    return { word, from: Number(from), half: word === 'STREAMS' };
  }
  const [, at, range, to, step] = /^(\d+)(\.\.(-?\d+)?)?(?:\/(\d+))?$/.exec(text)!;
  const last = to === undefined ? (range === undefined ? Number(at) : -1) : Number(to);
  return { at: Number(at), to: last, step: Number(step ?? 1) };
}
