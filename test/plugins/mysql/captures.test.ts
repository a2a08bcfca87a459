/** Every MySQL stream of the recordings against what is known of it. */
import { expect, it } from 'vitest';
import { captureManifest, CAPTURES, type CaptureStream } from '../../support/shared-captures.ts';
import { captureStreams } from '../../support/capture-streams.ts';
import { MysqlResponseReader, mysqlSettings } from '../../../plugins/mysql/index.ts';
import { byteByByte, cut } from '../../support/codec-driving.ts';
import { feed, type Transcript } from './transcript.ts';

interface MysqlStream extends CaptureStream {
  readonly c2s_start: string;
  readonly mysql_commands?: number;
  readonly mysql?: { readonly hist?: Record<string, number>; readonly ssl?: boolean };
}

const FILES = captureManifest()
  .map(({ file, streams }) => ({
    file,
    streams: (streams as readonly MysqlStream[]).filter((s) => s.mysql !== undefined && s.c2s_gaps === undefined),
  }))
  .filter(({ streams }) => streams.length > 0);

it('there are recordings', () => {
  expect(FILES.flatMap(({ streams }) => streams).length).toBeGreaterThan(20);
});

it.each(FILES.map(({ file, streams }) => [file, streams] as const))('%s', async (file, wanted) => {
  const streams = await captureStreams(CAPTURES + file);
  for (const { stream, mysql, ...known } of wanted) {
    const client = streams.get(known.c2s_sha256);
    if (client === undefined) throw new Error(`stream ${stream} is not there`);
    const options = known.c2s_start === 'syn' ? { end: true } : { fromSyn: false, seen: 1, end: true };
    const t = feed(cut(client, every(1400, client.length)), options);
    expect({ stream, ...told(t) }).toEqual({ stream, hist: mysql!.hist ?? {}, skipped: 0, noCommand: 0 });
    if (known.c2s_start === 'syn' && client.length < 20_000)
      expect(told(feed(byteByByte(client), options))).toEqual(told(t));
    if (known.complete === true && mysql!.ssl !== true) {
      const server = streams.get(known.s2c_sha256)!;
      const read = conversation(t, server, 1);
      expect({ stream, ...read }).toMatchObject({ stream, unanswered: 0, failure: undefined });
    }
  }
});

/** How many commands the server's bytes leave without a whole response, each sent when the one before has one. */
function conversation(
  { commands, connection }: Transcript,
  server: Uint8Array,
  size: number,
): Readonly<Record<string, unknown>> {
  const reader = new MysqlResponseReader(mysqlSettings(), { connection, online: true });
  const waiting = commands.map(({ command }) => command);
  let asked = false;
  let responses = 0;
  const ask = () => {
    while (!asked && waiting.length > 0) asked = reader.sent(waiting.shift());
  };
  ask();
  for (let at = 0; at < server.length; at += size) {
    reader.push(server, at, Math.min(size, server.length - at));
    for (let said = reader.next(); said !== undefined; said = reader.next()) {
      expect(said.completes).toBe(true);
      responses++;
      asked = false;
      ask();
    }
  }
  return { responses, unanswered: waiting.length + Number(asked), failure: reader.failure };
}

function told(t: Transcript): Readonly<Record<string, unknown>> {
  const hist: Record<string, number> = {};
  for (const { command } of t.commands) {
    if (/LOGIN|TLS|LOCAL_DATA/.test(command.name)) continue;
    const code = command.payload[0]!;
    hist[code] = (hist[code] ?? 0) + 1;
  }
  return { hist, skipped: t.codec.skippedBytes, noCommand: t.settings.stats.unparsable.all.get('no-command') ?? 0 };
}

function every(length: number, end: number): number[] {
  return Array.from({ length: Math.floor(end / length) }, (_, i) => (i + 1) * length);
}
