/** The logins and compressed sessions of the recordings against what is known of them. */
import { expect, it } from 'vitest';
import { parseAuthMessage } from '../../../../plugins/mysql/login/auth-packets.ts';
import { compressionOf } from '../../../../plugins/mysql/login/capabilities.ts';
import { Decompressor } from '../../../../plugins/mysql/login/compression.ts';
import { parseGreeting } from '../../../../plugins/mysql/login/greeting.ts';
import { buildHandshakeResponse, parseClientHello } from '../../../../plugins/mysql/login/handshake-response.ts';
import { captureStreams } from '../../../support/capture-streams.ts';
import { captureManifest, CAPTURES, type CaptureStream } from '../../../support/shared-captures.ts';
import { byteByByte } from '../../../support/codec-driving.ts';
import { buildGreeting } from '../../../support/mysql-server-packets.ts';

interface MysqlStream extends CaptureStream {
  readonly c2s_start: string;
  readonly mysql?: {
    readonly server_version?: string;
    readonly auth_plugin?: string;
    readonly auth_switch_to?: string;
    readonly client_caps?: string;
    readonly ssl?: boolean;
    readonly compress?: string;
    readonly compressed_packets?: number;
    /** How often each command code was sent. */
    readonly hist?: Readonly<Record<string, number>>;
  };
}

const FILES = captureManifest()
  .map(({ file, streams }) => ({ file, streams: (streams as readonly MysqlStream[]).filter(hasLogin) }))
  .filter(({ streams }) => streams.length > 0);

function hasLogin({ mysql, c2s_start }: MysqlStream): boolean {
  return mysql?.server_version !== undefined && c2s_start === 'syn';
}

function packetsOf(stream: Uint8Array): Buffer[] {
  const bytes = Buffer.from(stream);
  const packets: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUIntLE(at, 3);
    packets.push(bytes.subarray(at, end));
    at = end;
  }
  return packets;
}

function payloadOf(packet: Buffer | undefined): Buffer {
  return packet?.subarray(4) ?? Buffer.alloc(0);
}

it('there are recordings', () => {
  expect(FILES.flatMap(({ streams }) => streams).length).toBeGreaterThan(25);
});

it.each(FILES.map(({ file, streams }) => [file, streams] as const))('%s', async (file, wanted) => {
  const streams = await captureStreams(CAPTURES + file);
  for (const { mysql, ...known } of wanted) {
    const [client, server] = [streams.get(known.c2s_sha256)!, streams.get(known.s2c_sha256)];
    // What the server said is cut short where bytes of it are missing.
    if (server !== undefined) checkGreeting(server, mysql!);
    if (mysql!.client_caps === undefined) continue;
    const [first, ...more] = packetsOf(client);
    const hello = parseClientHello(payloadOf(first));
    if (mysql!.ssl === true) {
      expect(hello).toMatchObject({ kind: 'tls', capabilities: { flags: Number(mysql!.client_caps) } });
      continue;
    }
    if (hello?.kind !== 'login') throw new Error(`no login but ${hello?.kind}`);
    const { response } = hello;
    expect(response.capabilities.flags).toBe(Number(mysql!.client_caps));
    // Some clients leave out what the flags announce, or put something else behind.
    const again = Buffer.from(buildHandshakeResponse(response, response.authResponse));
    expect(parseClientHello(again)).toEqual(hello);
    if (response.authPlugin !== undefined) expect(response.authPlugin).toBe(mysql!.auth_plugin);
    expect(compressionOf(response.capabilities)).toBe(mysql!.compress ?? 'none');
    if (mysql!.compress !== undefined) checkCompressed(client, first!.length, mysql!);
    if (mysql!.auth_switch_to !== undefined) {
      const switched = packetsOf(server!).map((packet) => parseAuthMessage(payloadOf(packet)));
      expect(switched.find((message) => message?.kind === 'switch')).toMatchObject({ plugin: mysql!.auth_switch_to });
      expect(more.length).toBeGreaterThan(0);
    }
  }
});

function checkGreeting(server: Uint8Array, { server_version, auth_plugin }: NonNullable<MysqlStream['mysql']>): void {
  const payload = payloadOf(packetsOf(server)[0]);
  const greeting = parseGreeting(payload);
  expect(greeting?.serverVersion).toBe(server_version);
  expect(greeting?.scramble.length).toBe(20);
  expect(Buffer.from(buildGreeting(greeting!))).toEqual(payload);
  if (auth_plugin !== undefined) expect(greeting?.authPlugin).toMatch(/^(mysql_native|caching_sha2)_password$/);
}

/** Commands begin with a packet numbered 0. */
function checkCompressed(client: Uint8Array, loginLength: number, known: NonNullable<MysqlStream['mysql']>): void {
  for (const chunks of [[client.subarray(loginLength)], byteByByte(client.subarray(loginLength))]) {
    const reader = new Decompressor({ used: 0, limit: 1 << 20 });
    const plain: Buffer[] = [];
    for (const chunk of chunks) {
      reader.push(chunk, 0, chunk.length);
      for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) plain.push(Buffer.from(bytes));
    }
    expect([reader.failure, reader.idle, reader.frames]).toEqual([undefined, true, known.compressed_packets]);
    const counts: Record<string, number> = {};
    for (const packet of packetsOf(Buffer.concat(plain))) {
      if (packet[3] === 0) counts[packet[4]!] = (counts[packet[4]!] ?? 0) + 1;
    }
    expect(counts).toEqual(known.hist);
  }
}
