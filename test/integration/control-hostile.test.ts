/**
 * Whoever else comes to the control port, plain or over TLS, is refused and counted, and a tcpcopy that is connected notices
 * nothing. TLS needs the openssl command.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { ClientHandshake } from '../../src/control/client-handshake.ts';
import { Decoder } from '../../src/control/decoder.ts';
import { MAX_HANDSHAKE_MESSAGE } from '../../src/control/protocol.ts';
import { millis } from '../../src/core/time.ts';
import { hmacSha256 } from '../../src/intercept/hmac.ts';
import { CertificateLab, hasOpenssl, readCertified } from './control-lab/certificates.ts';
import { HOST, until, type LabIntercept } from './control-lab/lab.ts';
import { afterTest, makeLink, startIntercept } from './control-lab/started.ts';

const KEY = 'correct horse battery';
const certificates = hasOpenssl() ? new CertificateLab() : undefined;
const identity = certificates && readCertified(certificates.selfSigned('intercept', `IP:${HOST}`));
afterAll(() => certificates?.remove());

describe.each([
  ['plain', undefined],
  ['over TLS', identity],
] as const)('%s', (way, tls) => {
  const possible = tls !== undefined || way === 'plain';
  const trust = tls && { ca: tls.certificate };

  /** An intercept with a key, and a tcpcopy that knows it. */
  async function start(tuning: Parameters<typeof LabIntercept.start>[1] = {}) {
    const lab = await startIntercept({ key: KEY, tls }, tuning);
    const good = makeLink(lab.intercept.port, { key: KEY, tls: trust });
    await good.link.connect();
    const { port } = lab.intercept;

    /** The good one still gets its responses, and has heard of no trouble. */
    async function unaffected(): Promise<void> {
      expect(good.events).toEqual(['leased 4', 'up']);
      const before = good.responses.length;
      lab.respond({ port: good.firstPort, seq: 1 });
      await until(() => good.responses.length === before + 1, 'a response');
    }
    return { port, unaffected, refused: () => lab.intercept.stats().refused };
  }

  function open(port: number, bytes: Uint8Array = new Uint8Array(0)): Socket {
    const socket = tls ? connectTls({ port, host: HOST, ca: tls.certificate }) : connect(port, HOST);
    afterTest(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(bytes);
    return socket.resume();
  }

  const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

  /** What a tcpcopy with `key` sends to shake hands, message by message; and whether it is let in. */
  async function shakeHands(port: number, key: string | undefined): Promise<{ sent: Uint8Array[]; letIn: boolean }> {
    const handshake = new ClientHandshake(
      {
        instanceId: new Uint8Array(8).fill(7),
        connectionIndex: 0,
        connections: 1,
        key,
        software: 'x',
        nonce: new Uint8Array(32),
      },
      hmacSha256,
    );
    const sent = [handshake.hello()];
    const decoder = new Decoder();
    const socket = open(port, sent[0]);
    return new Promise((resolve) => {
      socket.on('data', (chunk) => {
        decoder.push(chunk);
        for (let message = decoder.next(); message !== undefined; message = decoder.next()) {
          const step = handshake.handle(message);
          if (step.kind !== 'send') return resolve({ sent, letIn: step.kind === 'welcomed' });
          sent.push(step.bytes);
          socket.write(step.bytes);
        }
      });
    });
  }

  describe.skipIf(!possible)('a control connection', () => {
    it.each([
      ['without a key', undefined],
      ['with another key', 'another key'],
    ])('%s is refused', async (_, key) => {
      const { port, unaffected, refused } = await start();
      expect((await shakeHands(port, key)).letIn).toBe(false);
      expect(refused()).toEqual({ key: 1 });
      await unaffected();
    });

    it('that repeats what a good one once sent is refused', async () => {
      const { port, unaffected, refused } = await start();
      const recorded = await shakeHands(port, KEY);
      expect(recorded.letIn).toBe(true);
      await closed(open(port, Buffer.concat(recorded.sent)));
      expect(refused()).toEqual({ key: 1 });
      await unaffected();
    });

    it('that announces more than a handshake needs is refused at once', async () => {
      const { port, unaffected, refused } = await start();
      const header = Buffer.alloc(5);
      header.writeUInt32BE(MAX_HANDSHAKE_MESSAGE + 1);
      header[4] = 1;
      await closed(open(port, header));
      expect(refused()).toEqual({ protocol: 1 });
      await unaffected();
    });

    it('that sends a byte now and then has its time, like any other', async () => {
      const { port, unaffected, refused } = await start({ handshakeTimeout: millis(1_000) });
      const socket = open(port);
      // A message of 255 bytes, as far as it gets.
      const bytes = [0, 0, 0, 255, 1];
      const drip = setInterval(() => socket.write(Uint8Array.of(bytes.shift() ?? 0)), 20);
      await closed(socket);
      clearInterval(drip);
      expect(refused()).toEqual({ 'too-slow': 1 });
      await unaffected();
    });
  });

  describe.skipIf(!possible)('a crowd of connections that say nothing', () => {
    it('drives out its own, and keeps no tcpcopy away', async () => {
      const { port, unaffected, refused } = await start({ maxEntering: 8 });
      const crowd = Array.from({ length: 40 }, () => open(port));
      await until(() => (refused()['crowded-out'] ?? 0) === 32, 'the crowd');
      const late = makeLink(port, { key: KEY, tls: trust });
      await late.link.connect();
      expect(late.link.up).toBe(true);
      expect(crowd.length).toBe(40);
      await unaffected();
    });
  });
});
