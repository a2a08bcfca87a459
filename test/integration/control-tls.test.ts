/** The control channel over TLS, on loopback, with certificates made here. Needs the openssl command. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineContext } from '../../src/cli/machine-context.ts';
import { parseCopyOptions } from '../../src/config/copy-options-schema.ts';
import type { ControlIdentity, ControlTrust } from '../../src/config/copy-options.ts';
import { parseInterceptOptions } from '../../src/config/intercept-options-schema.ts';
import { PAYLOAD_ALL } from '../../src/control/protocol.ts';
import type { TcpcopyError } from '../../src/core/errors.ts';
import { SILENT_LOG, type Log } from '../../src/core/log.ts';
import { millis } from '../../src/core/time.ts';
import { CertificateLab, hasOpenssl, readCertified, type Certified } from './control-lab/certificates.ts';
import { HOST, until, type LabLink, type Response } from './control-lab/lab.ts';
import { nobodyReadsForAWhile } from './control-lab/reading.ts';
import { makeLink, startIntercept } from './control-lab/started.ts';

const possible = hasOpenssl();
const certificates = possible ? new CertificateLab() : undefined;
let ca: Certified;
let otherCa: Certified;
let good: Certified;
let elsewhere: Certified;
let selfSigned: Certified;
let expired: Certified | undefined;
let trust: ControlTrust;
let identity: ControlIdentity;

beforeAll(() => {
  if (certificates === undefined) return;
  ca = certificates.selfSigned('ca');
  otherCa = certificates.selfSigned('other-ca');
  good = certificates.issue(ca, 'good', `DNS:localhost,IP:${HOST}`, 2)!;
  elsewhere = certificates.issue(ca, 'elsewhere', 'DNS:intercept.example,IP:192.0.2.20', 2)!;
  selfSigned = certificates.selfSigned('self-signed', `IP:${HOST}`);
  expired = certificates.issue(ca, 'expired', `IP:${HOST}`, -1);
  trust = { ca: readCertified(ca).certificate };
  identity = readCertified(good);
});
afterAll(() => certificates?.remove());

/** What is logged as a warning. */
function warnings(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: { ...SILENT_LOG, warn: (line) => lines.push(line) }, lines };
}

/** The one line with which connecting fails. */
async function failure(link: LabLink): Promise<string> {
  const error = await link.link.connect().then(
    () => undefined,
    (reason: TcpcopyError) => reason,
  );
  expect(error?.code).toBe('E_CONTROL_TLS');
  const line = error!.oneLine();
  expect(line).not.toContain('\n');
  expect(line.length).toBeLessThan(260);
  return line;
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

describe.skipIf(!possible)('TLS (needs the openssl command)', () => {
  it('carries responses over several connections, in order in each session', async () => {
    const lab = await startIntercept({ tls: identity });
    const { intercept } = lab;
    const link = makeLink(intercept.port, {
      ...{ connections: 4, tls: trust, wantPayload: PAYLOAD_ALL, heartbeatTimeout: millis(1_000) },
    });
    await link.link.connect();
    expect(link.events).toEqual(['leased 4', 'up']);
    await until(() => intercept.stats().connections === 4, 'four connections');
    const sent: Response[] = Array.from({ length: 4_000 }, (_, i) => ({
      port: link.firstPort + (i % 50),
      seq: i,
      payload: Buffer.from(`response ${i}`),
    }));
    for (let i = 0; i < sent.length; i += 500) lab.respond(...sent.slice(i, i + 500));
    await until(() => link.responses.length >= sent.length, 'all responses');
    for (let port = link.firstPort; port < link.firstPort + 50; port++) {
      const mine = link.responses.filter((r) => r.port === port);
      expect(mine.map((r) => r.payload)).toEqual(mine.map((r) => `response ${r.seq}`));
      expect(mine.map((r) => r.seq)).toEqual(sent.filter((r) => r.port === port).map((r) => r.seq));
    }
    expect(intercept.stats()).toMatchObject({ forwarded: 4_000, dropped: 0 });
    // Heartbeats: nothing but PING and PONG for longer than the time after which a silent connection is lost.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(link.events).toEqual(['leased 4', 'up']);
  });

  it('stops reading when nobody takes the responses, and goes on when somebody does', () =>
    nobodyReadsForAWhile({ tls: identity }, { tls: trust }));

  it('drops and counts what a tcpcopy that does not read cannot take', async () => {
    const lab = await startIntercept({ tls: identity }, { outputCap: 300_000 });
    const { intercept } = lab;
    const link = makeLink(intercept.port, { connections: 1, tls: trust, wantPayload: PAYLOAD_ALL });
    await link.link.connect();
    link.reading = false;
    const payload = new Uint8Array(1400).fill(120);
    const total = 20_000;
    for (let i = 0; i < total; i += 50) {
      lab.respond(...Array.from({ length: 50 }, (_, k) => ({ port: link.firstPort, seq: i + k, payload })));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => intercept.stats().segments === total, 'all captured');
    const { forwarded, dropped } = intercept.stats();
    // What tcpcopy takes without reading is bounded, by its own cap and by what the kernel holds.
    expect(dropped).toBeGreaterThan(total / 4);
    expect(forwarded + dropped).toBe(total);
    link.reading = true;
    link.read();
    await until(() => link.responses.length === forwarded, 'what was forwarded');
  });

  it('works with a key on top, and refuses another one', async () => {
    const { intercept } = await startIntercept({ tls: identity, key: 'alpha-key' });
    const link = makeLink(intercept.port, { tls: trust, key: 'alpha-key' });
    await link.link.connect();
    expect(link.link.up).toBe(true);
    const stranger = makeLink(intercept.port, { tls: trust, key: 'beta-key' });
    await expect(stranger.link.connect()).rejects.toMatchObject({ code: 'E_CONTROL_AUTH' });
  });

  it('checks a host name, and trusts a self-signed certificate that it is given', async () => {
    const named = await startIntercept({ tls: identity });
    const byName = makeLink(named.intercept.port, { host: 'localhost', tls: trust });
    await byName.link.connect();
    expect(byName.link.up).toBe(true);

    const own = readCertified(selfSigned);
    const { intercept } = await startIntercept({ tls: own });
    const link = makeLink(intercept.port, { tls: { ca: own.certificate } });
    await link.link.connect();
    expect(link.link.up).toBe(true);
  });

  it('refuses an unknown CA, Node\u2019s own list or a given one', async () => {
    const { log, lines } = warnings();
    const { intercept } = await startIntercept({ tls: identity, log });
    for (const tls of [{ ca: undefined }, { ca: readCertified(otherCa).certificate }]) {
      expect(await failure(makeLink(intercept.port, { tls }))).toBe(
        `-s ${HOST}:${intercept.port}: its certificate is from an unknown CA; ` +
          "give the CA's certificate with --tls-ca [E_CONTROL_TLS]",
      );
    }
    await until(() => lines.length === 2, 'two lines');
    for (const line of lines) {
      expect(line).toMatch(
        /^control connection of 127\.0\.0\.1:\d+ refused: it broke off the TLS handshake; perhaps it does not trust/,
      );
    }
    const own = await startIntercept({ tls: readCertified(selfSigned) });
    expect(await failure(makeLink(own.intercept.port, { tls: trust }))).toContain('from an unknown CA');
    expect(intercept.stats()).toMatchObject({ instances: 0 });
  });

  it('refuses a certificate for another host', async () => {
    const { intercept } = await startIntercept({ tls: readCertified(elsewhere) });
    expect(await failure(makeLink(intercept.port, { tls: trust }))).toContain(
      `its certificate is for DNS:intercept.example, IP Address:192.0.2.20, not for ${HOST}; `,
    );
    const byName = makeLink(intercept.port, { host: 'localhost', tls: trust });
    expect(await failure(byName)).toContain('not for localhost');
  });

  it('refuses an expired certificate', async ({ skip }) => {
    if (expired === undefined) return skip('this openssl makes no expired certificates');
    const { intercept } = await startIntercept({ tls: readCertified(expired) });
    expect(await failure(makeLink(intercept.port, { tls: trust }))).toContain('its certificate has expired; ');
  });

  it('a plain tcpcopy is told that the intercept speaks TLS, at once', async () => {
    const { log, lines } = warnings();
    const { intercept } = await startIntercept({ tls: identity, log });
    const began = performance.now();
    expect(await failure(makeLink(intercept.port))).toBe(
      `-s ${HOST}:${intercept.port}: the intercept speaks TLS only; ` +
        'add --tls, or --tls-ca with the CA to trust [E_CONTROL_TLS]',
    );
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(lines).toEqual([
      expect.stringMatching(/^control connection of 127\.0\.0\.1:\d+ refused: it does not speak TLS$/),
    ]);
  });

  it('a TLS tcpcopy is told that the intercept is plain', async () => {
    const { log, lines } = warnings();
    const { intercept } = await startIntercept({ log });
    expect(await failure(makeLink(intercept.port, { tls: trust }))).toBe(
      `-s ${HOST}:${intercept.port}: it does not speak TLS; ` +
        'start intercept with --tls-cert and --tls-key, or leave --tls out [E_CONTROL_TLS]',
    );
    expect(lines).toEqual([expect.stringContaining('a TLS handshake, not a control message')]);
  });

  it('connects again and reclaims its lease after a restart of the intercept', async () => {
    const first = await startIntercept({ tls: identity });
    const { port } = first.intercept;
    const link = makeLink(port, { tls: trust });
    await link.link.connect();
    const held = [...link.blocks];
    await first.intercept.stop();
    await until(() => link.events.some((event) => event.startsWith('down')), 'down');
    const second = await startIntercept({ tls: identity, port });
    await until(() => link.events.at(-1) === 'up' && link.link.up, 'up again');
    expect([...link.blocks]).toEqual(held);
    expect(link.events.some((event) => event.startsWith('lost'))).toBe(false);
    second.respond({ port: link.firstPort, seq: 7 });
    await until(() => link.responses.some((r) => r.seq === 7), 'a response');
  });

  it('closes what is silent, breaks off or is too old, and keeps nobody waiting when it stops', async () => {
    const { log, lines } = warnings();
    const { intercept } = await startIntercept({ tls: identity, log }, { handshakeTimeout: millis(500) });
    const silent = connect(intercept.port, HOST).resume();
    const halfway = connect(intercept.port, HOST).resume();
    halfway.on('error', () => undefined);
    halfway.write(Uint8Array.of(22, 3, 1));
    const old = connectTls({
      ...{ host: HOST, port: intercept.port, rejectUnauthorized: false },
      ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    let secured = false;
    old.on('error', () => undefined).on('secureConnect', () => (secured = true));
    await Promise.all([silent, halfway, old].map(closed));
    expect(secured).toBe(false);
    await until(() => lines.length === 3, 'three lines');
    expect(lines.filter((line) => line.endsWith('refused: it sent nothing'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('refused: the TLS handshake failed: '))).toHaveLength(2);
    for (const line of lines) expect(line).not.toContain('\n');

    const late = connect(intercept.port, HOST).resume();
    await new Promise((resolve) => late.once('connect', resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([closed(late), intercept.stop()]);
  });
});

describe.skipIf(!possible)('the files of the TLS options (needs the openssl command)', () => {
  const intercept = (tlsCert: string, tlsKey: string): unknown =>
    parseInterceptOptions({ tlsCert, tlsKey }, machineContext('intercept')).controlTls;
  const copy = (tlsCa: string): unknown =>
    parseCopyOptions({ map: ['80-192.0.2.10:80'], intercept: ['a'], tlsCa }, machineContext('tcpcopy')).options
      .controlTls;
  const line = (attempt: () => unknown): string => {
    try {
      attempt();
    } catch (error) {
      return (error as TcpcopyError).oneLine();
    }
    throw new Error('nothing was thrown');
  };

  it('are read when they are good', () => {
    expect(intercept(good.certificate, good.key)).toEqual(identity);
    expect(copy(ca.certificate)).toEqual(trust);
    expect(copy(selfSigned.certificate)).toEqual({ ca: readCertified(selfSigned).certificate });
  });

  it('are refused when they are not, without a word of what they hold', () => {
    const missing = `${good.certificate}.none`;
    expect(line(() => intercept(missing, good.key))).toContain(`--tls-cert ${missing}: there is no such file`);
    expect(line(() => copy(missing))).toContain(`--tls-ca ${missing}: there is no such file`);
    expect(line(() => copy(ca.key))).toContain(`--tls-ca ${ca.key}: holds no certificate in PEM form; give `);
    const swapped = line(() => intercept(good.key, good.certificate));
    expect(swapped).toContain(`--tls-cert ${good.key}: holds no certificate in PEM form; give `);
    expect(swapped).not.toContain('PRIVATE');
    expect(line(() => intercept(good.certificate, ca.certificate))).toContain('holds no private key in PEM form');
    expect(line(() => intercept(good.certificate, ca.key))).toContain('is not the key of the certificate');
    if (expired !== undefined) {
      expect(line(() => intercept(expired!.certificate, expired!.key))).toMatch(/--tls-cert \S+: has expired on /);
    }
  });
});
