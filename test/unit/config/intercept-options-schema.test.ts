import { expect, it } from 'vitest';
import { parseInterceptOptions } from '../../../src/config/intercept-options-schema.ts';
import { CONTEXT, lineOf } from './options-fixture.ts';

it('defaults', () => {
  expect(parseInterceptOptions({}, CONTEXT)).toEqual({
    devices: ['any'],
    io: 'auto',
    filter: undefined,
    bind: '::',
    port: 36524,
    controlKey: undefined,
    controlTls: undefined,
    captureBuffer: undefined,
    snapLength: 65_600,
    summaryJson: undefined,
    process: {
      logFile: undefined,
      logLevel: 'info',
      logFormat: 'auto',
      pidFile: undefined,
      daemon: false,
      nice: 'polite',
      ui: false,
      debug: false,
    },
  });
});

it('every option finds its place', () => {
  const raw = {
    input: ['eth0,eth1'],
    io: 'ring',
    filter: 'src port 80',
    bind: '[2001:db8::1]',
    port: '4000',
    controlKeyFile: 'key',
    tlsCert: 'a.crt',
    tlsKey: 'a.key',
    buffer: '8',
    snaplen: '200',
    summaryJson: 'out.json',
  };
  expect(parseInterceptOptions(raw, CONTEXT)).toMatchObject({
    devices: ['eth0', 'eth1'],
    io: 'ring',
    filter: 'src port 80',
    bind: '2001:db8::1',
    port: 4000,
    controlKey: 'correct horse battery',
    controlTls: { certificate: 'certificate', key: 'private' },
    captureBuffer: 8 * 1024 * 1024,
    snapLength: 200,
    summaryJson: 'out.json',
  });
});

it.each([
  [{ bind: 'eth0' }, '-b eth0: is not an IP address'],
  [{ port: '0' }, '-p 0: must be a whole number from 1 to 65535'],
  [{ input: ['any', 'eth0'] }, "'any' already covers every device"],
  [{ filter: '' }, '-F (empty): is an empty filter'],
  [{ tlsCert: 'a.crt' }, '--tls-cert: needs its private key; give it with --tls-key [E_USAGE]'],
  [{ tlsKey: 'a.key' }, '--tls-key: needs its certificate; give it with --tls-cert [E_USAGE]'],
  [{ tlsCert: 'old', tlsKey: 'a.key' }, '--tls-cert old: has expired on some day; give a valid certificate'],
  [{ tlsCert: 'a.crt', tlsKey: 'other' }, '--tls-key other: is not the key of the certificate; give the private key'],
])('%j is refused: %s', (raw, message) => {
  expect(lineOf(() => parseInterceptOptions(raw, CONTEXT))).toContain(message);
});
