/**
 * What is said to the target besides what clients say: a login where the client has none of its own to bring, and in a
 * fresh session whatever was built up in the one before: user, database, protocol version, subscriptions.
 *
 * Theory of operation. The first command of a session decides: one that logs in goes as it is, and what else the session
 * lacks follows it. Before any other the dialogue sends all of it, and waits for the answers. What clients build up is taken
 * from their commands once the target has answered them well, from those inside a transaction with EXEC. A transaction does
 * not outlive its session: what is left of it is refused, since it would be done at once elsewhere.
 */
import type { Credentials, Dialogue, OutgoingRequest, Preparation, ServerMessage } from 'tcpcopy/plugin';
import { RedisCommand } from './command.ts';
import { authPosition } from './login.ts';
import type { RedisReply } from './reply.ts';
import { RedisReplyReader } from './reply-reader.ts';
import { SessionState } from './session-state.ts';
import type { RedisSettings } from './settings.ts';

export interface DialogueSettings {
  readonly codec: RedisSettings;
  /** For a client that has not logged in, or did so before it could be seen; `undefined`: it needs no login. */
  readonly login: Credentials | undefined;
  /** The target's database for what the client begins with, and for 0 online. */
  readonly database: number;
  readonly zero: number;
}

const LOGIN_REFUSED = 'the login was refused';
/** How a server without a password answers to one. */
const NO_PASSWORD = /without any password/;
const WRONG_PASSWORD = /^-(WRONGPASS|ERR invalid password)/;

export class RedisDialogue implements Dialogue {
  fault: string | undefined;
  readonly #settings: DialogueSettings;
  readonly #state: SessionState;
  /** The client is between MULTI and EXEC, as far as its commands have gone. */
  #inTransaction = false;
  /** The session of a transaction is gone, and the rest of it is still to come. */
  #transactionLost = false;
  // Of this session:
  #reader: RedisReplyReader;
  /** What it lacks; `rest`: all but a login. */
  #lacks: 'all' | 'rest' | 'nothing' = 'all';
  /** A RESET is under way. */
  #resetting = false;
  #own: RedisCommand[] = [];
  /** Own commands that are under way. */
  readonly #asked = new Set<RedisCommand>();
  /** What the transaction under way will leave behind, as far as the target has answered; `undefined`: there is none. */
  #queued: RedisCommand[] | undefined;

  constructor(settings: DialogueSettings) {
    this.#settings = settings;
    this.#state = new SessionState(settings.database, settings.zero);
    this.#reader = new RedisReplyReader(settings.codec);
  }

  get reading(): boolean {
    return this.#reader.reading;
  }

  get failure(): string | undefined {
    return this.#reader.failure;
  }

  get closes(): boolean {
    return this.#reader.closes;
  }

  opened(): void {
    this.#reader = new RedisReplyReader(this.#settings.codec);
    this.#lacks = 'all';
    this.#resetting = false;
    this.#own = [];
    this.#asked.clear();
    this.#queued = undefined;
    this.#transactionLost = this.#inTransaction;
  }

  prepare({ message }: OutgoingRequest): Preparation {
    const command = message instanceof RedisCommand ? message : undefined;
    if (this.#transactionLost) {
      if (endsTransaction(command)) this.#inTransaction = this.#transactionLost = false;
      if (command?.name !== 'RESET') return { refuse: 'its transaction ended with the session' };
    }
    if (this.#resetting) return 'wait';
    if (this.#lacks === 'all' && command !== undefined && logsIn(command)) return 'send';
    if (this.#lacks !== 'nothing') {
      const login = this.#lacks === 'all' ? (this.#state.credentials ?? this.#settings.login) : undefined;
      this.#own = this.#state.commands(login).map((args) => RedisCommand.of(...args));
      this.#lacks = 'nothing';
    }
    return this.#own.length > 0 || this.#asked.size > 0 ? 'wait' : 'send';
  }

  transmit(): Uint8Array | undefined {
    const command = this.#own.shift();
    if (command === undefined) return undefined;
    if (this.#reader.sent(command)) this.#asked.add(command);
    return command.serialize();
  }

  sent(message: unknown): boolean {
    const answers = this.#reader.sent(message);
    if (!(message instanceof RedisCommand) || !message.aboutConnection) return answers;
    if (message.name === 'MULTI') this.#inTransaction = true;
    else if (endsTransaction(message)) this.#inTransaction = false;
    if (this.#lacks === 'all' && logsIn(message)) this.#lacks = 'rest';
    if (message.name === 'RESET') {
      this.#lacks = 'all';
      this.#resetting = true;
    }
    // What is not answered is taken for done.
    if (!answers) this.#state.follow(message);
    return answers;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#reader.push(bytes, offset, length);
  }

  gap(length: number): void {
    this.#reader.gap(length);
  }

  end(): void {
    this.#reader.end();
  }

  next(): ServerMessage | undefined {
    for (let said = this.#reader.next(); said !== undefined; said = this.#reader.next()) {
      const reply = said.message as RedisReply;
      const { command } = reply;
      if (command === undefined) return said;
      if (this.#asked.has(command)) {
        if (said.completes) this.#hearOwn(command, reply);
        continue;
      }
      if (said.completes && command.aboutConnection) this.#learn(command, reply);
      return said;
    }
    return undefined;
  }

  /** An answer to what the dialogue has sent itself. */
  #hearOwn(command: RedisCommand, reply: RedisReply): void {
    this.#asked.delete(command);
    if (reply.type !== '-') return;
    if (logsIn(command) && !errorIs(reply, NO_PASSWORD)) this.fault = LOGIN_REFUSED;
    // What follows would go to another database.
    else if (command.name === 'SELECT') this.fault = 'the database was refused';
  }

  /** The target has done what the client said, or has not. */
  #learn(command: RedisCommand, reply: RedisReply): void {
    const { name } = command;
    const failed = reply.type === '-';
    if (name === 'RESET') this.#resetting = false;
    if (endsTransaction(command)) {
      // Null instead of a list: a key that was watched has changed.
      const done = name === 'EXEC' && reply.type === '*' && reply.value !== null;
      if (done) for (const each of this.#queued ?? []) this.#state.follow(each);
      this.#queued = undefined;
    }
    if (failed) {
      const wrong = this.#settings.login !== undefined && logsIn(command) && errorIs(reply, WRONG_PASSWORD);
      if (wrong) this.fault = LOGIN_REFUSED;
    } else if (name === 'MULTI') {
      this.#queued = [];
    } else if (this.#queued === undefined) {
      this.#state.follow(command);
    } else {
      this.#queued.push(command);
    }
  }
}

function endsTransaction(command: RedisCommand | undefined): boolean {
  return command !== undefined && /^(EXEC|DISCARD|RESET)$/.test(command.name);
}

function logsIn(command: RedisCommand): boolean {
  return command.name === 'AUTH' || (command.name === 'HELLO' && authPosition(command) >= 0);
}

function errorIs(reply: RedisReply, pattern: RegExp): boolean {
  return pattern.test(reply.bytes.toString('latin1'));
}
