/** tcpcopy's link and the intercept over real sockets on loopback: handshake, lease, responses, limits. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicNow } from '../../src/clock/clock.ts';
import { LINKTYPE_RAW } from '../../src/capture/link-type.ts';
import { millis } from '../../src/core/time.ts';
import { ClientHandshake } from '../../src/control/client-handshake.ts';
import { Decoder } from '../../src/control/decoder.ts';
import { encode } from '../../src/control/encoder.ts';
import type { Message } from '../../src/control/messages.ts';
import {
  HELLO,
  LEASE_GRANT,
  LEASE_REQUEST,
  MAX_MESSAGE,
  PAYLOAD_ALL,
  PONG,
  PROBE,
  PROBE_REPORT,
  RECLAIM,
  REFUSED,
  REFUSED_VERSION,
  RESPONSES,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  WELCOME,
} from '../../src/control/protocol.ts';
import { ServerHandshake } from '../../src/control/server-handshake.ts';
import { hmacSha256 } from '../../src/intercept/hmac.ts';
import { HOST, LabIntercept, LabLink, packet, TARGET, until, type Response } from './control-lab/lab.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startIntercept(...options: Parameters<typeof LabIntercept.start>): Promise<LabIntercept> {
  const lab = await LabIntercept.start(...options);
  cleanups.push(() => lab.intercept.stop());
  return lab;
}

function makeLink(port: number, options?: ConstructorParameters<typeof LabLink>[1]): LabLink {
  const link = new LabLink(port, options);
  cleanups.push(() => link.link.close());
  return link;
}

async function serve(accept: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A hand-made tcpcopy that shakes hands and then does only what the test says. */
async function rawPeer(port: number, id: number): Promise<{ socket: Socket; received: Message[] }> {
  const socket = connect(port, HOST);
  cleanups.push(() => socket.destroy());
  const nonce = new Uint8Array(32);
  const instanceId = new Uint8Array(8).fill(id);
  const handshake = new ClientHandshake(
    { instanceId, connectionIndex: 0, connections: 1, key: undefined, software: 'raw', nonce },
    hmacSha256,
  );
  const received: Message[] = [];
  const decoder = new Decoder();
  decoder.maxMessage = MAX_MESSAGE;
  socket.on('data', (chunk) => {
    decoder.push(chunk);
    for (let m = decoder.next(); m !== undefined; m = decoder.next()) received.push(m);
  });
  socket.on('error', () => undefined);
  socket.write(handshake.hello());
  await until(() => received.some((m) => m.type === WELCOME), 'WELCOME');
  return { socket, received };
}

describe('link and intercept', () => {
  it('answers a probe at once and at its end, or says why it cannot watch', async () => {
    const lab = await startIntercept({ devices: ['lo'], expression: 'port 80' });
    const { socket, received } = await rawPeer(lab.intercept.port, 7);
    socket.write(encode({ type: TARGETS, targets: [TARGET], clients: [] }));
    socket.write(encode({ type: PROBE, token: 9, duration: 5_000 }));
    const reports = () => received.filter((m) => m.type === PROBE_REPORT);
    await until(() => reports().length > 0, 'PROBE_REPORT');
    const [first] = reports();
    expect(first).toMatchObject({ token: 9, capturesOn: 'lo', filter: 'port 80', foreign: 0, sightings: [] });
    expect(first!.devices.find(({ name }) => name === 'lo')?.addresses).not.toEqual([]);
    if (first!.open) {
      socket.write(encode({ type: PROBE, token: 10, duration: 0 }));
      await until(() => reports().length > 1, 'the second PROBE_REPORT');
      expect(reports()[1]).toMatchObject({ token: 9, open: false, problem: '' });
    } else {
      // Without the right to capture.
      expect(first!.problem).toMatch(/not permitted/);
    }
  });

  it('leases ports and delivers responses, in order in each session, over all connections', async () => {
    const lab = await startIntercept();
    const link = makeLink(lab.intercept.port, { connections: 4 });
    await link.link.connect();
    expect(link.events).toEqual(['leased 4', 'up']);
    expect(link.link.up).toBe(true);
    await until(() => lab.intercept.stats().connections === 4, 'four connections');

    const sent: Response[] = Array.from({ length: 4_000 }, (_, i) => ({ port: link.firstPort + (i % 50), seq: i }));
    for (let i = 0; i < sent.length; i += 500) lab.respond(...sent.slice(i, i + 500));
    await until(() => link.responses.length >= sent.length, 'all responses');
    expect(link.responses).toHaveLength(sent.length);
    for (let port = link.firstPort; port < link.firstPort + 50; port++) {
      const seqs = link.responses.filter((r) => r.port === port).map((r) => r.seq);
      expect(seqs).toEqual(sent.filter((r) => r.port === port).map((r) => r.seq));
    }
    expect(lab.intercept.stats()).toMatchObject({ frames: 4_000, segments: 4_000, forwarded: 4_000, dropped: 0 });
    await until(() => link.link.losses().forwarded === 4_000, 'the figures of the intercept');
  });

  it('sends as much payload as is asked for', async () => {
    const lab = await startIntercept();
    const link = makeLink(lab.intercept.port, { connections: 1 });
    await link.link.connect();
    const respond = async (seq: number) => {
      lab.respond({ port: link.firstPort, seq, payload: Buffer.from('hello, world') });
      await until(() => link.responses.some((r) => r.seq === seq), 'the response');
      return link.responses.find((r) => r.seq === seq);
    };
    expect(await respond(1)).toMatchObject({ payload: '', missing: 12 });
    // A lease message behind it says when the wish has arrived.
    link.link.wantPayload(PAYLOAD_ALL);
    link.link.requestLease(1);
    await until(() => link.blocks.size === 5, 'a fifth block');
    expect(await respond(2)).toMatchObject({ payload: 'hello, world', missing: 0 });
    link.link.wantPayload(5);
    link.link.requestLease(1);
    await until(() => link.blocks.size === 6, 'a sixth block');
    expect(await respond(3)).toMatchObject({ payload: 'hello', missing: 7 });
  });

  it('drops responses with a wrong checksum, and wants whole ones from then on', async () => {
    const lab = await startIntercept();
    const limits: number[] = [];
    Object.assign(lab.source, { limitPayload: (bytes: number) => limits.push(bytes) });
    const link = makeLink(lab.intercept.port, { connections: 1 });
    await link.link.connect();
    expect(limits.at(-1)).toBe(0);
    const damaged = packet({ port: link.firstPort, seq: 1, payload: Buffer.from('hello') });
    damaged[30]! ^= 1;
    for (const bytes of [damaged, packet({ port: link.firstPort, seq: 2 })])
      lab.source.push({ bytes, time: monotonicNow(), linkType: LINKTYPE_RAW });
    await until(() => link.responses.length > 0, 'the sound response');
    expect(link.responses).toMatchObject([{ seq: 2 }]);
    expect(lab.intercept.stats()).toMatchObject({ segments: 2, damaged: 1, forwarded: 1 });
    expect(limits.at(-1)).toBeGreaterThan(65_535);
  });

  it('gives instances disjoint ports and each its own responses', async () => {
    const lab = await startIntercept();
    const links = [1, 2, 3].map(() => makeLink(lab.intercept.port, { blocks: 8 }));
    await Promise.all(links.map((link) => link.link.connect()));
    const all = links.flatMap((link) => [...link.blocks]);
    expect(all).toHaveLength(24);
    expect(new Set(all).size).toBe(24);
    lab.respond(...links.map((link, seq) => ({ port: link.firstPort + 1023, seq })));
    await until(() => links.every((link) => link.responses.length === 1), 'one response each');
    links.forEach((link, seq) => expect(link.responses[0]).toMatchObject({ seq, port: link.firstPort + 1023 }));
  });

  it('refuses with counts what it has not, and says so', async () => {
    const lab = await startIntercept();
    const first = await rawPeer(lab.intercept.port, 1);
    first.socket.write(encode({ type: LEASE_REQUEST, blocks: 60 }));
    await until(() => lab.intercept.stats().freeBlocks === 3, 'a lease of 60 blocks');
    const second = makeLink(lab.intercept.port, { blocks: 10 });
    await second.link.connect();
    expect(second.events).toContain('refused 10 3 0');
    expect(second.blocks.size).toBe(3);
    const third = makeLink(lab.intercept.port);
    await expect(third.link.connect()).rejects.toMatchObject({ code: 'E_LEASE' });
    await second.link.close();
    await until(() => lab.intercept.stats().freeBlocks === 3, 'the blocks of the second');
    await third.link.connect();
    expect(third.blocks.size).toBe(3);
    expect(third.events).toContain('refused 4 3 0');
  });

  it('frees the lease at once when tcpcopy takes leave, after the silence when it vanishes', async () => {
    const lab = await startIntercept({}, { leaseSilence: millis(300) });
    const link = makeLink(lab.intercept.port);
    await link.link.connect();
    expect(lab.intercept.stats().freeBlocks).toBe(59);
    await link.link.close();
    await until(() => lab.intercept.stats().freeBlocks === 63, 'a free lease', 200);

    const { socket } = await rawPeer(lab.intercept.port, 1);
    socket.write(encode({ type: LEASE_REQUEST, blocks: 2 }));
    await until(() => lab.intercept.stats().freeBlocks === 61, 'a lease');
    socket.destroy();
    await until(() => lab.intercept.stats().connections === 0, 'the end of the connection');
    expect(lab.intercept.stats()).toMatchObject({ freeBlocks: 61, instances: 1 });
    await until(() => lab.intercept.stats().freeBlocks === 63, 'the end of the silence', 1_500);
    expect(lab.intercept.stats().instances).toBe(0);
  });

  it('never waits for a tcpcopy that does not read: drops, counts, and serves the others', async () => {
    const lab = await startIntercept({}, { outputCap: 300_000 });
    const { socket, received } = await rawPeer(lab.intercept.port, 1);
    socket.write(encode({ type: TARGETS, targets: [TARGET], clients: [] }));
    socket.write(encode({ type: WANT_PAYLOAD, maxBytes: PAYLOAD_ALL }));
    socket.write(encode({ type: LEASE_REQUEST, blocks: 1 }));
    await until(() => received.some((m) => m.type === LEASE_GRANT), 'a lease');
    const grant = received.find((m) => m.type === LEASE_GRANT);
    const slowPort = grant?.type === LEASE_GRANT ? grant.blocks[0]! * 1024 : 0;
    socket.pause();

    const link = makeLink(lab.intercept.port);
    await link.link.connect();
    const payload = new Uint8Array(1400).fill(120);
    const rounds = 150;
    for (let round = 0; round < rounds; round++) {
      lab.respond(...Array.from({ length: 60 }, (_, i) => ({ port: slowPort, seq: round * 60 + i, payload })), {
        port: link.firstPort,
        seq: round,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => link.responses.length === rounds, 'all responses of the other');
    const stats = lab.intercept.stats();
    expect(stats.dropped).toBeGreaterThan(0);
    expect(stats.forwarded + stats.dropped).toBe(rounds * 61);
    expect(stats.segments).toBe(rounds * 61);
    socket.resume();
    await until(() => received.some((m) => m.type === STATS && m.dropped === stats.dropped), 'STATS name the drops');
  });

  it('stops reading when nobody takes the responses, and goes on when somebody does', async () => {
    const lab = await startIntercept({}, { outputCap: 64 << 20 });
    const link = makeLink(lab.intercept.port, {
      connections: 1,
      wantPayload: PAYLOAD_ALL,
      heartbeatTimeout: millis(200),
    });
    await link.link.connect();
    link.reading = false;
    const payload = new Uint8Array(1400).fill(120);
    const total = 16_000;
    for (let i = 0; i < total; i += 64) {
      lab.respond(...Array.from({ length: 64 }, (_, k) => ({ port: link.firstPort, seq: i + k, payload })));
      if (i % 640 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(link.events).toEqual(['leased 4', 'up']);
    link.reading = true;
    link.read();
    await until(() => link.responses.length === total, 'all responses');
    expect(link.responses.map((r) => r.seq)).toEqual(Array.from({ length: total }, (_, i) => i));
  });
});

describe('refusals', () => {
  it.each([
    ['other keys', 'alpha-key', 'beta-key'],
    ['a key on one side', undefined, 'beta-key'],
    ['a key on the other side', 'alpha-key', undefined],
  ])('rejects %s', async (_, interceptKey, linkKey) => {
    const lab = await startIntercept({ key: interceptKey });
    const link = makeLink(lab.intercept.port, { key: linkKey });
    await expect(link.link.connect()).rejects.toMatchObject({
      code: 'E_CONTROL_AUTH',
      where: `-s ${HOST}:${lab.intercept.port}`,
    });
    expect(lab.intercept.stats().instances).toBe(0);
  });

  it('accepts the right key', async () => {
    const lab = await startIntercept({ key: 'alpha-key' });
    const link = makeLink(lab.intercept.port, { key: 'alpha-key' });
    await link.link.connect();
    expect(link.link.up).toBe(true);
  });

  it('rejects an intercept of another version, naming both', async () => {
    const refused = encode({ type: REFUSED, reason: REFUSED_VERSION, versionMin: 4, versionMax: 5, text: '' });
    const link = makeLink(await serve((socket) => socket.end(refused)));
    await expect(link.link.connect()).rejects.toMatchObject({
      code: 'E_CONTROL_VERSION',
      message: 'this tcpcopy speaks control-channel versions 1 to 2, the intercept versions 4 to 5',
    });
  });

  it('says when payload is wanted of an intercept that sends none', async () => {
    const welcome = encode({
      type: WELCOME,
      ...{ version: 1, capabilities: 0, interceptId: new Uint8Array(8), leaseSilence: 1 },
      ...{ proof: new Uint8Array(0), software: 'x' },
    });
    const grant = encode({ type: LEASE_GRANT, wanted: 4, free: 0, blocks: [1, 2, 3, 4] });
    const port = await serve((socket) => {
      cleanups.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(Buffer.concat([welcome, grant])));
    });
    const headers = makeLink(port, { connections: 1 });
    await headers.link.connect();
    const payload = makeLink(port, { connections: 1, wantPayload: PAYLOAD_ALL });
    await payload.link.connect();
    expect([headers.events, payload.events]).toEqual([
      ['leased 4', 'up'],
      ['no payload', 'leased 4', 'up'],
    ]);
  });

  it('rejects what is no intercept, what does not answer, and what is not there', async () => {
    const web = makeLink(await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await expect(web.link.connect()).rejects.toMatchObject({ code: 'E_CONTROL_PROTOCOL' });

    const mute = makeLink(await serve((socket) => cleanups.push(() => socket.destroy())), {
      heartbeatTimeout: millis(100),
    });
    await expect(mute.link.connect()).rejects.toMatchObject({ code: 'E_INTERCEPT_UNREACHABLE' });
    const left = makeLink(await serve((socket) => cleanups.push(() => socket.destroy())));
    const connecting = expect(left.link.connect()).rejects.toThrow(/stopped before/);
    await left.link.close();
    await connecting;

    const closed = await startIntercept();
    const { port } = closed.intercept;
    await closed.intercept.stop();
    const nobody = makeLink(port);
    await expect(nobody.link.connect()).rejects.toMatchObject({
      code: 'E_INTERCEPT_UNREACHABLE',
      where: `-s ${HOST}:${port}`,
      message: 'nothing listens there (ECONNREFUSED)',
    });
  });

  it('closes connections that talk nonsense, before and after the handshake, and nobody else', async () => {
    const lab = await startIntercept({}, { handshakeTimeout: millis(200) });
    const link = makeLink(lab.intercept.port);
    await link.link.connect();
    const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

    for (const nonsense of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\0\0\0\x01\x0d', '\xff'.repeat(100_000)]) {
      const socket = connect(lab.intercept.port, HOST);
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(nonsense, 'latin1');
      await closed(socket);
    }
    const silent = connect(lab.intercept.port, HOST);
    await closed(silent.resume());

    const { socket, received } = await rawPeer(lab.intercept.port, 1);
    socket.write(encode({ type: LEASE_GRANT, wanted: 1, free: 1, blocks: [] }));
    await closed(socket);
    expect(received.at(-1)).toMatchObject({ type: REFUSED, text: 'tcpcopy may not send LEASE_GRANT' });

    expect(link.events).toEqual(['leased 4', 'up']);
    lab.respond({ port: link.firstPort, seq: 1 });
    await until(() => link.responses.length === 1, 'a response');
  });

  it('drops an intercept that talks nonsense after the handshake, and tries again', async () => {
    const identity = { interceptId: new Uint8Array(8), key: undefined, software: 'x', leaseSilence: 1 };
    let accepted = 0;
    const port = await serve((socket) => {
      accepted++;
      const handshake = new ServerHandshake(identity, hmacSha256, new Uint8Array(32));
      const decoder = new Decoder();
      cleanups.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        decoder.push(chunk);
        for (let m = decoder.next(); m !== undefined; m = decoder.next()) {
          if (m.type === HELLO) socket.write(handshake.handle(m).bytes);
          if (m.type !== LEASE_REQUEST && m.type !== RECLAIM) continue;
          socket.write(encode({ type: LEASE_GRANT, wanted: 4, free: 0, blocks: [1, 2, 3, 4] }));
          if (m.type === LEASE_REQUEST)
            socket.write(Uint8Array.of(0, 0, 0, 30, RESPONSES, ...new Uint8Array(29).fill(5)));
        }
      });
    });
    const link = makeLink(port, { connections: 1 });
    await link.link.connect();
    await until(() => accepted === 3, 'further tries');
    expect(link.events.slice(0, 4)).toEqual([
      'leased 4',
      'up',
      `down -s ${HOST}:${port}: a record in RESPONSES has no known address [E_CONTROL_PROTOCOL]`,
      'up',
    ]);
    expect(link.responses).toEqual([]);
  });

  it('limits connections', async () => {
    const lab = await startIntercept({}, { maxConnections: 2 });
    const link = makeLink(lab.intercept.port, { connections: 2 });
    await link.link.connect();
    await until(() => lab.intercept.stats().connections === 2, 'two connections');
    await expect(makeLink(lab.intercept.port).link.connect()).rejects.toThrow(/2 connections already/);
  });

  it('says why the control port cannot be bound', async () => {
    const lab = await startIntercept();
    await expect(LabIntercept.start({ port: lab.intercept.port })).rejects.toMatchObject({
      code: 'E_LISTEN',
      message: 'the port is in use',
    });
    await expect(LabIntercept.start({ bind: '192.0.2.77' })).rejects.toMatchObject({ code: 'E_LISTEN' });
  });
});

it('answers heartbeats', async () => {
  const lab = await startIntercept();
  const { socket, received } = await rawPeer(lab.intercept.port, 1);
  socket.write(encode({ type: 13, token: 77 }));
  await until(() => received.some((m) => m.type === PONG && m.token === 77), 'PONG');
});
