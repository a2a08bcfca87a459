/** Authentication methods, from the client's side: what answers a challenge, and what the server says after that. */
import { SCRAMBLE_LENGTH } from './greeting.ts';
import { cachingSha2Token, encryptPassword, nativeToken } from './scramble.ts';

export type AuthAnswer =
  | { readonly send: Uint8Array }
  /** Nothing to say: the server goes on. */
  | 'wait'
  /** A few constant words. */
  | { readonly fault: string };

export interface AuthMethod {
  /** The answer to the challenge. */
  begin(): AuthAnswer;
  /** The server has said more. */
  more(data: Uint8Array): AuthAnswer;
}

const EMPTY: Uint8Array = new Uint8Array(0);
const UNEXPECTED: AuthAnswer = { fault: 'the target says something unexpected in the login' };

/** Methods that are known, and not done. Why: docs/guides/mysql.md. */
const REFUSED: readonly string[] = [
  ...['client_ed25519', 'parsec', 'sha256_password', 'mysql_old_password', 'auth_gssapi_client'],
  ...['authentication_ldap_sasl_client', 'authentication_kerberos_client', 'authentication_webauthn_client'],
];
const CLEAR: readonly string[] = ['mysql_clear_password', 'dialog'];

/** `password` may be empty. A string says why there is no such method: a few constant words. */
export function authMethod(plugin: string, password: Uint8Array, scramble: Uint8Array): AuthMethod | string {
  if (CLEAR.includes(plugin)) return 'the target wants the password in clear text, which is never sent';
  if (plugin === 'mysql_native_password' || plugin === 'caching_sha2_password') {
    if (scramble.length !== SCRAMBLE_LENGTH) return 'the challenge of the target has a wrong length';
    return plugin === 'mysql_native_password'
      ? new NativePassword(password, scramble)
      : new CachingSha2(password, scramble);
  }
  if (REFUSED.includes(plugin)) return `the target asks for ${plugin}, which is not supported`;
  return 'the target asks for an authentication method that is not supported';
}

export function isSupported(plugin: string): boolean {
  return plugin === 'mysql_native_password' || plugin === 'caching_sha2_password';
}

class NativePassword implements AuthMethod {
  readonly #password: Uint8Array;
  readonly #scramble: Uint8Array;

  constructor(password: Uint8Array, scramble: Uint8Array) {
    this.#password = password;
    this.#scramble = scramble;
  }

  begin(): AuthAnswer {
    return { send: this.#password.length === 0 ? EMPTY : nativeToken(this.#password, this.#scramble) };
  }

  more(): AuthAnswer {
    return UNEXPECTED;
  }
}

const REQUEST_KEY = Uint8Array.of(2);
const FAST_DONE = 3;
const FULL_NEEDED = 4;
/** A PEM of 16,384 bits has 2,900 bytes. */
const LONGEST_KEY = 4096;

/**
 * The server remembers a hash of passwords that it has seen since it started: with one it knows, the token is enough (fast).
 * Otherwise it asks for the password itself (full), which goes encrypted by the key that it is asked for: the link is plain.
 */
class CachingSha2 implements AuthMethod {
  readonly #password: Uint8Array;
  readonly #scramble: Uint8Array;
  #state: 'token' | 'key' | 'over' = 'token';

  constructor(password: Uint8Array, scramble: Uint8Array) {
    this.#password = password;
    this.#scramble = scramble;
  }

  begin(): AuthAnswer {
    return { send: this.#password.length === 0 ? EMPTY : cachingSha2Token(this.#password, this.#scramble) };
  }

  more(data: Uint8Array): AuthAnswer {
    if (this.#state === 'token' && data.length === 1) {
      if (data[0] === FAST_DONE) {
        this.#state = 'over';
        return 'wait';
      }
      if (data[0] === FULL_NEEDED) {
        this.#state = 'key';
        return { send: REQUEST_KEY };
      }
    }
    if (this.#state !== 'key') return UNEXPECTED;
    this.#state = 'over';
    try {
      if (data.length > LONGEST_KEY) throw new RangeError('too long for a key');
      return { send: encryptPassword(this.#password, this.#scramble, data) };
    } catch {
      // What is wrong with it may quote what was to be encrypted.
      return { fault: "the target's public key cannot be used" };
    }
  }
}
