/** What both ends sign during the handshake, and how a signature is checked. */

/** HMAC-SHA256 of `data` under `key`; handed in, since this folder is pure. */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

export const CLIENT_LABEL = 'tcpcopy';
export const SERVER_LABEL = 'intercept';

/**
 * Signs the whole HELLO and the whole CHALLENGE, as sent: both nonces, the instance and the version range are in them,
 * so a proof cannot be replayed and nobody in between can talk the ends down to an older version. The labels keep one
 * side's proof from serving as the other's.
 */
export function makeProof(
  hmac: Hmac,
  key: string,
  label: string,
  hello: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  const text = new TextEncoder();
  const head = text.encode(label);
  const data = new Uint8Array(head.length + hello.length + challenge.length);
  data.set(head);
  data.set(hello, head.length);
  data.set(challenge, head.length + hello.length);
  return hmac(text.encode(key), data);
}

/** Takes the same time wherever the first difference is. */
export function proofsEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
