/**
 * The exchange that a login and a change of user have in common: from the first answer to a challenge to the server's OK.
 *
 * Theory of operation. The client answers the challenge it has. The server then says OK, ERR, something more of the method
 * under way, or names another method with a challenge of its own, which starts over. MariaDB may name several one after
 * another.
 */
import type { Credentials } from 'tcpcopy/plugin';
import { parseAuthMessage } from './auth-packets.ts';
import { authMethod, type AuthAnswer, type AuthMethod } from './auth-method.ts';
import { loginFault } from './login-fault.ts';
import { packet } from './packet-writer.ts';
import type { OkPacket } from './result-packets.ts';

/** Methods that a server may name before it is taken for one that never ends. */
const MOST_SWITCHES = 8;

export class Authentication {
  /** The server's OK: it is done. */
  ok: OkPacket | undefined;
  /** Why it has failed: a few constant words, without a secret. */
  fault: string | undefined;
  plugin: string;
  scramble: Uint8Array;
  readonly #credentials: Credentials;
  #method: AuthMethod | undefined;
  #switches = 0;

  constructor(credentials: Credentials, plugin: string, scramble: Uint8Array) {
    this.#credentials = credentials;
    this.plugin = plugin;
    this.scramble = scramble;
  }

  /** The answer to the challenge, for the packet that begins the exchange; `undefined`: there is a fault. */
  begin(): Uint8Array | undefined {
    const answer = this.#begin();
    if (typeof answer === 'object' && 'send' in answer) return answer.send;
    this.fault = answer === 'wait' ? undefined : answer.fault;
    return undefined;
  }

  /** The server's next packet. Returns the packet that answers it. */
  handle(sequence: number, payload: Uint8Array): Uint8Array | undefined {
    const message = parseAuthMessage(payload);
    switch (message?.kind) {
      case 'ok':
        this.ok = message.ok;
        return undefined;
      case 'err':
        this.fault = loginFault(message.err.code);
        return undefined;
      case 'more':
        return this.#answer(sequence, this.#method?.more(message.data) ?? UNREADABLE);
      case 'switch':
        if (++this.#switches > MOST_SWITCHES) return this.#answer(sequence, ENDLESS);
        this.plugin = message.plugin;
        this.scramble = message.scramble;
        return this.#answer(sequence, this.#begin());
      case undefined:
        return this.#answer(sequence, UNREADABLE);
    }
  }

  #begin(): AuthAnswer {
    const method = authMethod(this.plugin, this.#credentials.password, this.scramble);
    if (typeof method === 'string') return { fault: method };
    this.#method = method;
    return method.begin();
  }

  #answer(sequence: number, answer: AuthAnswer): Uint8Array | undefined {
    if (answer === 'wait') return undefined;
    if ('send' in answer) return packet(sequence + 1, answer.send);
    this.fault = answer.fault;
    return undefined;
  }
}

const UNREADABLE: AuthAnswer = { fault: 'the target answers the login with something unreadable' };
const ENDLESS: AuthAnswer = { fault: 'the target asks for one authentication method after another' };
