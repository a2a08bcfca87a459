import { expect, it } from 'vitest';
import { connectFailure, tlsFailure } from '../../../src/replay/control-socket.ts';

const failure = (code: string, more: object = {}): string | undefined =>
  tlsFailure(Object.assign(new Error('words of\nOpenSSL'), { code, ...more }), 'intercept.example')?.oneLine();

it.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /^its certificate is from an unknown CA; .*--tls-ca \[E_CONTROL_TLS\]$/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /^its certificate is from an unknown CA; /],
  ['CERT_HAS_EXPIRED', /^its certificate has expired; /],
  ['CERT_NOT_YET_VALID', /^its certificate is not valid yet; check the clocks/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /^it does not speak TLS; /],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /^TLS failed: ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION; /],
  ['CERT_REVOKED', /^TLS failed: CERT_REVOKED; /],
])('%s is one line that says what to do', (code, line) => {
  expect(failure(code)).toMatch(line);
  expect(failure(code)).not.toContain('\n');
});

it('names what a certificate is for, as far as it fits', () => {
  const mismatch = (names: string | undefined) =>
    failure('ERR_TLS_CERT_ALTNAME_INVALID', { cert: { subjectaltname: names } });
  expect(mismatch('DNS:a.example')).toContain('is for DNS:a.example, not for intercept.example; ');
  expect(mismatch(undefined)).toContain('is for no name, not for intercept.example; ');
  expect(mismatch(Array.from({ length: 50 }, (_, i) => `DNS:${i}.example`).join(', '))!.length).toBeLessThan(250);
});

it('leaves other failures to others', () => {
  expect(failure('ECONNREFUSED')).toBeUndefined();
  expect(tlsFailure(new Error('no code'), 'h')).toBeUndefined();
});

it.each([
  [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 192.0.2.20:36524' }, 'nothing listens there (ECONNREFUSED)'],
  [{ code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND x' }, 'that host name is not known (ENOTFOUND)'],
  [{ code: 'ECONNRESET', message: 'read ECONNRESET' }, 'it broke off the connection (ECONNRESET)'],
  [{ code: 'EPIPE', message: 'write EPIPE' }, 'write EPIPE'],
  [{ message: 'something else' }, 'something else'],
])('%j is said in words', (error, text) => expect(connectFailure({ name: 'Error', ...error })).toBe(text));
