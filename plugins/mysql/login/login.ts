/**
 * The login of a fresh session to the target, without I/O: packets of the target in, packets to send out.
 *
 * Theory of operation. The target greets with a challenge and what it can do; the answer has the target's credentials, and
 * of what the client had agreed on online what the target can do, too. The rest is `Authentication`. Nothing is encrypted or
 * compressed: the password itself never goes out unless it is encrypted by the target's own key.
 */
import type { Credentials } from 'tcpcopy/plugin';
import { parseErr } from './result-packets.ts';
import { Authentication } from './authentication.ts';
import { isSupported } from './auth-method.ts';
import { chooseCapabilities, CLIENT, USUAL_CLIENT, type Capabilities } from './capabilities.ts';
import { targetCharset, UTF8MB4_GENERAL_CI } from './charset.ts';
import { isMariaDb, parseGreeting, type Greeting } from './greeting.ts';
import { buildHandshakeResponse, type HandshakeFields } from './handshake-response.ts';
import { loginFault } from './login-fault.ts';
import { packet } from './packet-writer.ts';

const ERR = 0xff;
const MOST_PACKET = 1 << 24;
const NATIVE = 'mysql_native_password';

export interface LoginRequest {
  readonly credentials: Credentials;
  /** As the client logged in; `undefined`: before copying began. Its user, database and answer are not looked at. */
  readonly client: Pick<HandshakeFields, 'capabilities' | 'maxPacket' | 'charset' | 'attributes'> | undefined;
  /** On the target; `undefined` or empty: none. */
  readonly database: Uint8Array | undefined;
}

/** What a session to the target has come to with its login. */
export interface AgreedSession {
  readonly capabilities: Capabilities;
  readonly serverVersion: string;
  readonly mariadb: boolean;
  /** The target's, for KILL. */
  readonly connectionId: number;
  /** The collation's id that was asked for. */
  readonly charset: number;
  /** Flags of the OK that ended the login. */
  readonly status: number;
  /** The last method and challenge: a change of user answers the same one. */
  readonly authPlugin: string;
  readonly scramble: Uint8Array;
}

export class Login {
  /** It is done. */
  agreed: AgreedSession | undefined;
  /** It has failed, and the session with it: a few constant words, without a secret. */
  fault: string | undefined;
  readonly #request: LoginRequest;
  #greeting: Greeting | undefined;
  #capabilities: Capabilities = { flags: 0, extended: 0 };
  #charset = 0;
  #authentication: Authentication | undefined;

  constructor(request: LoginRequest) {
    this.#request = request;
  }

  get over(): boolean {
    return this.agreed !== undefined || this.fault !== undefined;
  }

  /**
   * The target's next packet, its payload without the header; none after `over`. Returns the packet to send, which is not
   * changed afterwards. Nothing is kept of `payload`.
   */
  handle(sequence: number, payload: Uint8Array): Uint8Array | undefined {
    if (this.#authentication === undefined) return this.#greet(sequence, payload);
    const answer = this.#authentication.handle(sequence, payload);
    this.#follow(this.#authentication);
    return answer;
  }

  #greet(sequence: number, payload: Uint8Array): Uint8Array | undefined {
    if (payload[0] === ERR) {
      this.fault = loginFault(parseErr(payload)?.code ?? 0);
      return undefined;
    }
    const greeting = parseGreeting(payload);
    if (greeting === undefined) {
      this.fault = 'the target does not greet as a MySQL server does';
      return undefined;
    }
    const needed = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION;
    if ((greeting.capabilities.flags & needed) !== needed) {
      this.fault = 'the target is older than MySQL 4.1';
      return undefined;
    }
    this.#greeting = greeting;
    return this.#answer(sequence, greeting);
  }

  #answer(sequence: number, greeting: Greeting): Uint8Array | undefined {
    const { client, credentials, database } = this.#request;
    const named = database !== undefined && database.length > 0;
    const own = client?.capabilities ?? usualClient(greeting.capabilities);
    this.#capabilities = chooseCapabilities(own, greeting.capabilities, named);
    this.#charset = targetCharset(client?.charset ?? UTF8MB4_GENERAL_CI, isMariaDb(greeting.serverVersion));
    // With a method that is not known the target names the account's own in its next packet.
    const offered = greeting.authPlugin ?? NATIVE;
    const plugin = isSupported(offered) ? offered : NATIVE;
    this.#authentication = new Authentication(credentials, plugin, greeting.scramble);
    const response = this.#authentication.begin();
    this.#follow(this.#authentication);
    if (response === undefined) return undefined;
    const fields: HandshakeFields = {
      capabilities: this.#capabilities,
      maxPacket: client?.maxPacket ?? MOST_PACKET,
      charset: this.#charset,
      user: Buffer.from(credentials.user),
      database: named ? database : undefined,
      authPlugin: plugin,
      attributes: client?.attributes,
    };
    return packet(sequence + 1, buildHandshakeResponse(fields, response));
  }

  #follow(authentication: Authentication): void {
    this.fault = authentication.fault;
    if (authentication.ok === undefined || this.#greeting === undefined) return;
    const { serverVersion, connectionId } = this.#greeting;
    this.agreed = {
      capabilities: this.#capabilities,
      serverVersion,
      mariadb: isMariaDb(serverVersion),
      connectionId,
      charset: this.#charset,
      status: authentication.ok.status,
      authPlugin: authentication.plugin,
      scramble: authentication.scramble,
    };
  }
}

/** Without EOF packets where the target can: what the response reader is told either way. */
function usualClient(target: Capabilities): Capabilities {
  return { ...USUAL_CLIENT, flags: (USUAL_CLIENT.flags | (target.flags & CLIENT.DEPRECATE_EOF)) >>> 0 };
}
