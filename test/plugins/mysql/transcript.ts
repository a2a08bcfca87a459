/** Feeds bytes to a command codec in given chunks, and tells what came out. */
import {
  MysqlCommandCodec,
  MysqlConnection,
  mysqlSettings,
  type MysqlCommand,
  type MysqlSettings,
} from '../../../plugins/mysql/index.ts';
import { contentOf, Pusher } from '../../support/codec-driving.ts';

export interface SeenCommand {
  readonly command: MysqlCommand;
  complete: boolean;
  /** Bytes of its pieces. */
  length: number;
}

export interface Transcript {
  readonly commands: readonly SeenCommand[];
  /** All pieces, one after another. */
  readonly bytes: Uint8Array;
  readonly refused: number;
  readonly codec: MysqlCommandCodec;
  readonly connection: MysqlConnection;
  readonly settings: MysqlSettings;
}

export interface FeedOptions {
  readonly fromSyn?: boolean;
  readonly end?: boolean;
  readonly settings?: Partial<MysqlSettings>;
  readonly connection?: MysqlConnection;
  /** Server bytes that the client has seen before each chunk. */
  readonly seen?: number;
  /** Called for each command; may change it. */
  readonly edit?: (command: MysqlCommand) => void;
}

export function feed(chunks: readonly Uint8Array[], options: FeedOptions = {}): Transcript {
  const settings = mysqlSettings(options.settings);
  const connection = options.connection ?? new MysqlConnection();
  const codec = new MysqlCommandCodec(connection, options.fromSyn ?? true, settings);
  const pusher = new Pusher();
  const commands: SeenCommand[] = [];
  const parts: Uint8Array[] = [];
  let refused = 0;
  const drain = () => {
    for (let piece = codec.next(); piece !== undefined; piece = codec.next()) {
      const command = piece.message;
      if (command !== undefined) {
        options.edit?.(command);
        piece.encode();
        commands.push({ command, complete: piece.last, length: piece.length });
      } else if (piece.refused) {
        refused += piece.length;
      } else {
        const last = commands.at(-1)!;
        last.complete = piece.last;
        last.length += piece.length;
      }
      parts.push(contentOf(piece));
    }
  };
  for (const chunk of chunks) {
    codec.push(pusher.input(chunk, options.seen ?? 0));
    drain();
  }
  if (options.end === true) {
    codec.end();
    drain();
  }
  return { commands, bytes: Uint8Array.from(Buffer.concat(parts)), refused, codec, connection, settings };
}

/** One packet. */
export function packet(
  sequence: number,
  ...parts: readonly (string | number | readonly number[] | Uint8Array)[]
): Buffer {
  const payload = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part);
      return typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part);
    }),
  );
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

export const query = (sql: string): Buffer => packet(0, 3, sql);
