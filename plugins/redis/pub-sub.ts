/** What a connection is subscribed to, and how many confirmations a command about that brings. */
import type { RedisCommand } from './command.ts';

/** Command to what it is about, and whether it subscribes. */
const COMMANDS: Readonly<Record<string, readonly [kind: 'channels' | 'patterns' | 'shardChannels', adds: boolean]>> = {
  SUBSCRIBE: ['channels', true],
  UNSUBSCRIBE: ['channels', false],
  PSUBSCRIBE: ['patterns', true],
  PUNSUBSCRIBE: ['patterns', false],
  SSUBSCRIBE: ['shardChannels', true],
  SUNSUBSCRIBE: ['shardChannels', false],
};

export class Subscriptions {
  /** Names, one character a byte. */
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly shardChannels = new Set<string>();

  get any(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0;
  }

  /**
   * A command goes to the server. Returns how many confirmations it brings: one for each name, also for those that change
   * nothing; `undefined` for commands that are about something else.
   */
  follow(command: RedisCommand): number | undefined {
    const about = Object.hasOwn(COMMANDS, command.name) ? COMMANDS[command.name] : undefined;
    if (about === undefined) return undefined;
    const [kind, adds] = about;
    const names = command.args.slice(1).map((arg) => Buffer.from(arg).toString('latin1'));
    if (names.length === 0) {
      // All of them; one confirmation when there were none.
      const count = Math.max(1, this[kind].size);
      this[kind].clear();
      return adds ? 1 : count;
    }
    for (const name of names) {
      if (adds) this[kind].add(name);
      else this[kind].delete(name);
    }
    return command.length - 1;
  }

  clear(): void {
    this.channels.clear();
    this.patterns.clear();
    this.shardChannels.clear();
  }

  /** The commands that bring a fresh connection here. */
  commands(): readonly (readonly string[])[] {
    return (
      [
        ['SUBSCRIBE', this.channels],
        ['PSUBSCRIBE', this.patterns],
        ['SSUBSCRIBE', this.shardChannels],
      ] as const
    )
      .filter(([, names]) => names.size > 0)
      .map(([name, names]) => [name, ...names]);
  }
}
