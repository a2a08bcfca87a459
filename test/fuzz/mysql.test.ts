// Invariant: whatever bytes come, however cut, with whatever gaps: no byte of them is lost, changed or made up; commands
// end where a dull reader says; a text that was changed reads back as intended; responses end in the same places however
// they are cut.
import { describe, expect, it } from 'vitest';
import {
  MysqlCommandCodec,
  MysqlConnection,
  MysqlResponseReader,
  mysqlSettings,
  type MysqlCommand,
  type MysqlPiece,
  type MysqlResponse,
} from '../../plugins/mysql/index.ts';
import { COMMANDS } from '../../plugins/mysql/command-names.ts';
import { about, clientLogin, error, execute, greeting, ok, prepare, prepared } from '../plugins/mysql/servers.ts';
import { packet, query } from '../plugins/mysql/transcript.ts';
import {
  chunksOf,
  drain,
  pick,
  PieceAccount,
  push,
  pushWithGaps,
  repeat,
  type Random,
} from '../support/codec-fuzzing.ts';
import { fuzzRuns } from '../support/fuzzing.ts';

/** Inputs in all, in an ordinary run. */
const RUNS = 30_000;

const REQUESTS: readonly Buffer[] = [
  ...[query('select 1'), query('use crm'), query('insert into t values (1, "ü")'), query('begin; select 2; commit')],
  ...[query("create user a identified by 'b'"), packet(0, 3, [0, 1], 'select 3'), packet(0, 3, [0xff, 0xfe, 0x80])],
  ...[
    prepare('select ?'),
    prepare(''),
    execute(1, 7),
    execute(1, 7, false),
    execute(2, 0),
    about(0x18, 1, 0, 0, 65, 66),
  ],
  ...[
    about(0x19, 1),
    about(0x1a, 1),
    about(0x1c, 1, 1, 0, 0, 0),
    packet(0, 0xfa, [1, 0, 0, 0], [128, 0], [3, 0], [0, 7, 0, 0, 0]),
  ],
  ...[packet(0, 14), packet(0, 1), packet(0, 2, 'crm'), packet(0, 31), packet(0, 9), packet(0, 27, [0, 0])],
  ...[packet(0, 0x11, 'ann\0', 0, 'crm\0', [45, 0], 'mysql_native_password\0'), packet(3, 'an answer'), packet(0)],
  ...[Buffer.concat([query('load data local infile "f" into table t'), packet(2, 'a,b'), packet(3)])],
];
const column = packet(2, '\x03def\x00\x00\x00\x01a\x00\x0c', [63, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
const RESPONSES: readonly Buffer[] = [
  ...[greeting(), ok(), ok(1, 10), error(1064), packet(1, 0xfe, [0, 0], [2, 0]), prepared(1), prepared(2, 3)],
  ...[
    packet(1, 0xfb, 'f'),
    packet(1, 1),
    column,
    packet(3, 1, 'x'),
    packet(4, 0xfe, 0, 0, [2, 0], [0, 0]),
    packet(5, 0, 0, 7),
  ],
  Buffer.concat([packet(1, 1), column, packet(3, 1, 'x'), packet(4, 0xfe, 0, 0, [2, 0], [0, 0])]),
  Buffer.concat([
    packet(1, 1),
    column,
    packet(3, 0xfe, [0, 0], [2, 0]),
    packet(4, 0xfb),
    packet(5, 0xfe, [0, 0], [2, 0]),
  ]),
];
const ASKED = REQUESTS.filter((bytes) => bytes[3] === 0 && bytes.length > 4);

/** A few messages in a row, some of them damaged. */
function makeInput(random: Random, from: readonly Buffer[], begin?: Buffer): Uint8Array {
  const rest = Array.from({ length: 1 + random() * 6 }, () => pick(random, from));
  let bytes = Buffer.concat(begin === undefined ? rest : [begin, ...rest]);
  const damages = random() < 0.4 ? 0 : random() * 4;
  for (let n = 1; n < damages; n++) {
    const at = Math.floor(random() * bytes.length);
    const token = Buffer.from(
      random() < 0.5 ? [random() * 256] : pick(random, [[0], [1], [0xff, 0xff], [0xfe], [3, 0, 0]]),
    );
    bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at + Math.floor(random() * 4))]);
  }
  return Uint8Array.from(bytes);
}

/** Everything that taps may look at. */
function lookAt(command: MysqlCommand): string {
  const { name, sql, parameters, attributes, database, schema, user, statementId } = command;
  void [parameters, attributes, schema, user, statementId];
  return `${name} ${sql ?? ''} ${database ?? ''} ${command.toString()}`;
}

/** Commands from the first on, as far as they follow one another: number 0, a code that there is, and then the payload. */
function dullCommands(bytes: Uint8Array, from: number): string[] {
  const commands: string[] = [];
  for (let at = from; at + 4 < bytes.length;) {
    const length = bytes[at]! + bytes[at + 1]! * 256 + bytes[at + 2]! * 65_536;
    const code = bytes[at + 4]!;
    if (at + 4 + length > bytes.length || bytes[at + 3] !== 0 || length === 0 || COMMANDS[code] === undefined) break;
    if (code === 0x11) break;
    commands.push(Buffer.from(bytes.subarray(at, at + 4 + length)).toString('latin1'));
    at += 4 + length;
  }
  return commands;
}

function settingsOf(random: Random) {
  return mysqlSettings(random() < 0.7 ? {} : { commandLimit: 10 + random() * 60 });
}

describe('command codec', { timeout: 3_600_000 }, () => {
  it('loses nothing, and reads the commands that a dull reader reads', () => {
    let compared = 0;
    const login = clientLogin();
    repeat(RUNS * 0.4, (random) => {
      const bytes = makeInput(random, REQUESTS, random() < 0.9 ? login : undefined);
      const settings = settingsOf(random);
      const connection = new MysqlConnection();
      const codec = new MysqlCommandCodec(connection, true, settings);
      const read: string[] = [];
      let [at, open, skipped, whole] = [0, false, 0, true];
      const take = (piece: MysqlPiece) => {
        // A damaged login may say that what follows is compressed.
        if (connection.compression === 'zlib') return;
        // What is skipped lies before the piece.
        at += codec.skippedBytes - skipped;
        skipped = codec.skippedBytes;
        const found = piece.bytes.subarray(piece.offset, piece.offset + piece.length);
        if (Buffer.compare(found, bytes.subarray(at, at + piece.length)) !== 0) throw new Error(`other bytes at ${at}`);
        if (piece.length === 0 || (!piece.first && !open)) throw new Error(`a piece of nothing at ${at}`);
        at += piece.length;
        open = !piece.last;
        const { message } = piece;
        if (message === undefined) return;
        lookAt(message);
        if (!message.whole && message.name !== 'LOCAL_DATA') whole = false;
        if (message.whole && message.name !== 'LOGIN') read.push(Buffer.from(message.serialize()).toString('latin1'));
      };
      for (const chunk of chunksOf(random, bytes)) {
        push(codec, chunk, 0);
        drain(codec, take);
      }
      codec.end();
      drain(codec, take);
      if (connection.compression !== 'zlib') expect(at - skipped + codec.skippedBytes).toBe(bytes.length);
      const undamaged = Buffer.compare(bytes.subarray(0, login.length), login) === 0;
      if (whole && undamaged) {
        const wanted = dullCommands(bytes, login.length);
        expect(read.slice(0, wanted.length)).toEqual(wanted);
        compared += wanted.length;
      }
      expect(settings.budget.used).toBe(0);
    });
    expect(compared).toBeGreaterThan(fuzzRuns(RUNS * 0.2));
  });

  it('a text that was changed reads back as intended', () => {
    let edited = 0;
    repeat(RUNS * 0.15, (random) => {
      const codec = new MysqlCommandCodec(new MysqlConnection(), false);
      for (const chunk of chunksOf(random, makeInput(random, ASKED))) {
        push(codec, chunk, 1);
        drain(codec, ({ message }) => {
          if (message === undefined || !/^(QUERY|STMT_PREPARE)$/.test(message.name) || !message.whole) return;
          const sql = `${pick(random, ['', 'select ', 'ü', '\0\x01'])}${message.sql ?? ''}${pick(random, ['', ' /* é */', '\xff', '€'])}`;
          const ascii = /^[\x20-\x7e]*$/.test(sql);
          message.sql = sql;
          edited++;
          const bytes = message.serialize();
          const again = new MysqlCommandCodec(new MysqlConnection(), true);
          push(again, Buffer.concat([clientLogin(), bytes]), 0);
          drain(again, (piece) => {
            if (piece.message?.name !== message.name) return;
            if (ascii && !message.hasAttributes) expect(piece.message.sql).toBe(sql);
            expect([piece.length, piece.last]).toEqual([bytes.length, true]);
          });
        });
      }
    });
    expect(edited).toBeGreaterThan(fuzzRuns(RUNS * 0.03));
  });

  it('gaps and starts in the middle are accounted for, and commands are what was sent', () => {
    let resynchronised = 0;
    repeat(RUNS * 0.25, (random) => {
      const bytes = makeInput(random, REQUESTS, random() < 0.5 ? clientLogin() : undefined);
      const settings = settingsOf(random);
      const codec = new MysqlCommandCodec(new MysqlConnection(), random() < 0.5, settings);
      const account = new PieceAccount(bytes);
      const take = (piece: MysqlPiece) => {
        if (piece.message !== undefined) lookAt(piece.message);
        account.take(piece, settings.stats.compressed === 0);
      };
      pushWithGaps(random, codec, chunksOf(random, bytes), take, () => (account.open = false));
      // What is compressed has another length.
      if (settings.stats.compressed === 0) expect(account.taken + codec.skippedBytes).toBe(bytes.length);
      expect(settings.budget.used).toBe(0);
      resynchronised += settings.stats.resynchronised;
    });
    expect(resynchronised).toBeGreaterThan(fuzzRuns(RUNS * 0.01));
  });
});

describe('responses', { timeout: 3_600_000 }, () => {
  it('end in the same places however the bytes are cut, with gaps too', () => {
    let responses = 0;
    repeat(RUNS * 0.2, (random) => {
      const bytes = makeInput(random, RESPONSES);
      const capable = random() < 0.5;
      const asked = Array.from({ length: 5 }, () => pick(random, ASKED));
      const read = (chunks: Iterable<Uint8Array>): string => {
        const connection = new MysqlConnection();
        const settings = mysqlSettings();
        const codec = new MysqlCommandCodec(connection, false);
        const reader = new MysqlResponseReader(
          settings,
          { connection, online: true },
          capable ? { flags: 1 << 24, extended: 0 } : undefined,
        );
        for (const each of asked) {
          push(codec, each, 1);
          drain(codec, ({ message }) => reader.sent(message));
        }
        const said: string[] = [];
        for (const chunk of chunks) {
          reader.push(chunk, 0, chunk.length);
          for (let next = reader.next(); next !== undefined; next = reader.next()) {
            said.push(
              `${(next.message as MysqlResponse).toString()} ${String((next.message as MysqlResponse).length)}`,
            );
          }
          if (!reader.reading) break;
        }
        const { failure } = reader;
        if (reader.reading) reader.end();
        expect(settings.budget.used).toBe(0);
        responses += said.length;
        return JSON.stringify([...said, failure]);
      };
      expect(read(chunksOf(random, bytes))).toBe(read([bytes]));
    });
    expect(responses).toBeGreaterThan(fuzzRuns(RUNS * 0.1));
  });

  it('that lack bytes are given up, or known by their rest', () => {
    repeat(RUNS * 0.1, (random) => {
      const reader = new MysqlResponseReader(mysqlSettings(), { connection: new MysqlConnection(), online: false });
      for (const chunk of chunksOf(random, makeInput(random, RESPONSES))) {
        if (random() < 0.2 && reader.reading) reader.gap(chunk.length);
        if (!reader.reading) break;
        reader.push(chunk, 0, chunk.length);
        while (reader.next() !== undefined);
      }
    });
  });
});
