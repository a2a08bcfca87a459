/** Feeds bytes to a command codec in given chunks, and tells what came out. */
import {
  RedisCommandCodec,
  redisSettings,
  type RedisCommand,
  type RedisSettings,
} from '../../../plugins/redis/index.ts';
import { contentOf, Pusher } from '../../support/codec-driving.ts';

export interface Transcript {
  readonly commands: readonly SeenCommand[];
  /** All pieces, one after another. */
  readonly bytes: Uint8Array;
  /** Bytes of pieces that are no commands. */
  readonly raw: number;
  readonly refused: number;
  readonly unparsable: string | undefined;
  readonly codec: RedisCommandCodec;
}

export interface SeenCommand {
  readonly command: RedisCommand;
  /** Its arguments as Latin-1 text; those that stream past are not there. */
  readonly args: readonly string[];
  complete: boolean;
  /** Bytes of its pieces. */
  length: number;
}

export interface FeedOptions {
  readonly fromSyn?: boolean;
  readonly end?: boolean;
  readonly settings?: Partial<RedisSettings>;
  /** Called for each command; may change it. */
  readonly edit?: (command: RedisCommand) => void;
}

export function feed(chunks: readonly Uint8Array[], options: FeedOptions = {}): Transcript {
  const settings = redisSettings(options.settings);
  const codec = new RedisCommandCodec(options.fromSyn ?? true, settings);
  const pusher = new Pusher();
  const commands: SeenCommand[] = [];
  const parts: Uint8Array[] = [];
  let [raw, refused] = [0, 0];
  let unparsable: string | undefined;
  const drain = () => {
    for (let piece = codec.next(); piece !== undefined; piece = codec.next()) {
      const command = piece.message;
      if (command !== undefined) {
        const args = command.args.map((arg) => Buffer.from(arg).toString('latin1'));
        options.edit?.(command);
        piece.encode();
        commands.push({ command, args, complete: piece.last, length: piece.length });
      } else if (piece.first || piece.unparsable !== undefined) {
        raw += piece.length;
        if (piece.refused) refused += piece.length;
        unparsable ??= piece.unparsable;
      } else {
        const last = commands.at(-1)!;
        last.complete = piece.last;
        last.length += piece.length;
      }
      parts.push(contentOf(piece));
    }
  };
  for (const chunk of chunks) {
    codec.push(pusher.input(chunk));
    drain();
  }
  if (options.end === true) {
    codec.end();
    drain();
  }
  return { commands, bytes: Uint8Array.from(Buffer.concat(parts)), raw, refused, unparsable, codec };
}

/** A multibulk request. */
export function resp(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg, 'latin1')}\r\n${arg}\r\n`).join('')}`;
}
