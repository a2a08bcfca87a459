import { expect, it } from 'vitest';
import { MysqlCommandCodec, MysqlConnection } from '../../../plugins/mysql/index.ts';
import { instant } from '../../../src/core/time.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { clientLogin } from './servers.ts';
import { packet, query } from './transcript.ts';

const END = { address: parseIp('192.0.2.1')!, port: 3306 };
const LOAD = query("load data local infile 'f' into table t");
const SELECT = query('select a from t');
/** The numbers of its packets begin anew three times: once what has the number 0 looks like a command, twice it does not. */
const FILE = Buffer.concat([
  ...Array.from({ length: 800 }, (_, i) => packet((i + 2) & 255, i < 300 ? '\x03select 1' : '9,x\n')),
  packet(34),
]);

it.each([1 << 20, 1_460, 7, 1])('a file of more packets than there are numbers, %d bytes at a time', (size) => {
  const connection = MysqlConnection.of({ client: END, server: END, openedBy: 'syn' });
  const codec = new MysqlCommandCodec(connection, true);
  const told: [name: string | undefined, bytes: number][] = [];
  for (const turn of [clientLogin(), LOAD, FILE, SELECT]) {
    for (let at = 0; at < turn.length; at += size) {
      const length = Math.min(size, turn.length - at);
      codec.push({ bytes: turn, offset: at, length, time: instant(1), serverBytesSeen: at === 0 ? 5 : 0 });
      for (let piece = codec.next(); piece !== undefined; piece = codec.next()) {
        if (piece.first) told.push([piece.message?.name, 0]);
        told.at(-1)![1] += piece.length;
      }
    }
  }
  expect(told).toEqual([
    ['LOGIN', clientLogin().length],
    ['QUERY', LOAD.length],
    ['LOCAL_DATA', FILE.length],
    ['QUERY', SELECT.length],
  ]);
  expect(codec.skippedBytes).toBe(0);
});
