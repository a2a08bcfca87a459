/** Who is turned away on the control channel, and what either side does about nonsense and limits. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../../src/control/decoder.ts';
import { encode } from '../../src/control/encoder.ts';
import {
  HELLO,
  LEASE_GRANT,
  LEASE_REQUEST,
  PAYLOAD_ALL,
  RECLAIM,
  REFUSED,
  REFUSED_VERSION,
  RESPONSES,
  WELCOME,
} from '../../src/control/protocol.ts';
import { ServerHandshake } from '../../src/control/server-handshake.ts';
import { millis } from '../../src/core/time.ts';
import { hmacSha256 } from '../../src/intercept/hmac.ts';
import { HOST, LabIntercept, until } from './control-lab/lab.ts';
import { afterTest, makeLink, rawPeer, serve, startIntercept } from './control-lab/started.ts';

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
      afterTest(() => socket.destroy());
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

    const mute = makeLink(await serve((socket) => afterTest(() => socket.destroy())), {
      heartbeatTimeout: millis(100),
    });
    await expect(mute.link.connect()).rejects.toMatchObject({ code: 'E_INTERCEPT_UNREACHABLE' });
    const left = makeLink(await serve((socket) => afterTest(() => socket.destroy())));
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
    const lab = await startIntercept({}, { handshakeTimeout: millis(600) });
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
      afterTest(() => socket.destroy());
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
      'down a record in RESPONSES has no known address [E_CONTROL_PROTOCOL]',
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
