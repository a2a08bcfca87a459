/**
 * COM_CHANGE_USER with the target's credentials, without I/O. It answers the challenge of the login; what the target makes of
 * that is `Authentication`.
 */
import type { Credentials } from 'tcpcopy/plugin';
import { Authentication } from './authentication.ts';
import { buildChangeUser, type ChangeUserFields } from './change-user.ts';
import { targetCharset } from './charset.ts';
import type { AgreedSession } from './login.ts';
import { packet } from './packet-writer.ts';

export class UserChange {
  /** It is done: the session as it is now. */
  agreed: AgreedSession | undefined;
  /** It has failed, and the session with it: a few constant words, without a secret. */
  fault: string | undefined;
  readonly #session: AgreedSession;
  readonly #fields: ChangeUserFields;
  readonly #authentication: Authentication;

  /** `command`: the client's, its database mapped; its user and answer are not looked at. */
  constructor(session: AgreedSession, command: Omit<ChangeUserFields, 'user'>, credentials: Credentials) {
    this.#session = session;
    const { attributes, charset, database } = command;
    this.#fields = {
      user: Buffer.from(credentials.user),
      database,
      charset: targetCharset(charset ?? session.charset, session.mariadb),
      authPlugin: session.authPlugin,
      attributes: attributes ?? new Uint8Array(0),
    };
    this.#authentication = new Authentication(credentials, session.authPlugin, session.scramble);
  }

  get over(): boolean {
    return this.agreed !== undefined || this.fault !== undefined;
  }

  /** The command, as the packet to send; `undefined`: there is a fault. */
  begin(): Uint8Array | undefined {
    const response = this.#authentication.begin();
    this.fault = this.#authentication.fault;
    if (response === undefined) return undefined;
    return packet(0, buildChangeUser(this.#fields, this.#session.capabilities, response));
  }

  /** The target's next packet: see `Login.handle`. */
  handle(sequence: number, payload: Uint8Array): Uint8Array | undefined {
    const answer = this.#authentication.handle(sequence, payload);
    const { fault, ok, plugin, scramble } = this.#authentication;
    this.fault = fault;
    if (ok !== undefined) {
      const charset = this.#fields.charset ?? this.#session.charset;
      this.agreed = { ...this.#session, charset, status: ok.status, authPlugin: plugin, scramble };
    }
    return answer;
  }
}
