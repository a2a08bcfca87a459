import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { authPlugins } from 'mysql2';
import { expect, it } from 'vitest';
import { cachingSha2Token, encryptPassword, nativeToken } from '../../../../plugins/mysql/login/scramble.ts';
import { seededRandom } from '../../../support/damage.ts';

/** Those of Go's driver, which are known to open real servers. */
const NATIVE_CHALLENGE = Uint8Array.of(
  70,
  114,
  92,
  94,
  1,
  38,
  11,
  116,
  63,
  114,
  23,
  101,
  126,
  103,
  26,
  95,
  81,
  17,
  24,
  21,
);
const SHA2_CHALLENGE = Uint8Array.of(10, 47, 74, 111, 75, 73, 34, 48, 88, 76, 114, 74, 37, 13, 3, 80, 82, 2, 23, 21);

it('known answers to known challenges', () => {
  expect([...nativeToken(Buffer.from('secret'), NATIVE_CHALLENGE)]).toEqual([
    53, 177, 140, 159, 251, 189, 127, 53, 109, 252, 172, 50, 211, 192, 240, 164, 26, 48, 207, 45,
  ]);
  expect([...cachingSha2Token(Buffer.from('secret'), SHA2_CHALLENGE)]).toEqual([
    244, 144, 231, 111, 102, 217, 216, 102, 101, 206, 84, 217, 140, 120, 208, 172, 254, 47, 176, 176, 139, 66, 61, 168,
    7, 20, 72, 115, 211, 11, 49, 44,
  ]);
});

type Plugin = (data: Uint8Array) => Buffer;
type Factory = (options: object) => (at: { connection: object; command: object }) => Plugin;

it('the answers of mysql2, for any password and challenge', () => {
  const random = seededRandom(5);
  for (let n = 0; n < 50; n++) {
    const password = Array.from({ length: 1 + random() * 40 }, () => String.fromCharCode(33 + random() * 500)).join('');
    const scramble = Buffer.from(Array.from({ length: 20 }, () => 1 + Math.floor(random() * 255)));
    const at = { connection: { config: { password } }, command: {} };
    const answers = (['mysql_native_password', 'caching_sha2_password'] as const).map((name) =>
      (authPlugins[name] as unknown as Factory)({})(at)(scramble),
    );
    const own = [nativeToken, cachingSha2Token].map((token) => token(Buffer.from(password), scramble));
    expect(own.map((token) => Buffer.from(token).toString('hex'))).toEqual(answers.map((a) => a.toString('hex')));
  }
});

it('a password encrypted for a key: the server gets it back, with its NUL, hidden by the challenge', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  for (const password of ['short', 'a password that is longer than the challenge', 'pässwörd']) {
    const sent = encryptPassword(Buffer.from(password), SHA2_CHALLENGE, Buffer.from(publicKey));
    const hidden = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      sent,
    );
    const plain = hidden.map((byte, i) => byte ^ SHA2_CHALLENGE[i % 20]!);
    expect(Buffer.from(plain).toString()).toBe(`${password}\0`);
    expect(Buffer.from(sent).includes(password)).toBe(false);
  }
});

it('what is no key, and a password too long for one', () => {
  expect(() => encryptPassword(Buffer.from('secret'), SHA2_CHALLENGE, Buffer.from('no key'))).toThrow();
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  expect(() => encryptPassword(Buffer.alloc(200, 120), SHA2_CHALLENGE, Buffer.from(pem))).toThrow();
});
