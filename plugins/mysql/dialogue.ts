/**
 * What is said to the target besides what clients say: the login with its own challenge and password, statements prepared
 * anew, and in a fresh session whatever was built up in the one before.
 *
 * Theory of operation. A session begins with a login: the client's, where that is what comes first, with the target's
 * credentials in it; else one of the dialogue's own, and behind it the settings that the client has made. From then on
 * commands go as they are, but for those about statements, which name the target's ids; a statement that this session lacks
 * is prepared first. What clients build up is taken from their commands once the target has answered them well.
 *
 *     opened ─▶ login ─▶ settings ─▶ commands ⇄ CHANGE_USER
 */
import {
  Credentials,
  type CredentialMap,
  type Dialogue,
  type OutgoingRequest,
  type Preparation,
  type ServerMessage,
} from 'tcpcopy/plugin';
import { MysqlCommand } from './command.ts';
import { ABOUT_STATEMENT } from './command-names.ts';
import type { MysqlConnection, PreparedStatement } from './connection.ts';
import { Handshake } from './handshake.ts';
import { CLIENT, Login, packet, UserChange, type AgreedSession } from './login/index.ts';
import { PacketAssembler } from './packet-assembler.ts';
import { toPackets } from './packet.ts';
import { MysqlResponse } from './response.ts';
import { MysqlResponseReader } from './response-reader.ts';
import { SessionState } from './session-state.ts';
import type { MysqlSettings } from './settings.ts';
import { TargetStatements } from './target-statements.ts';
import { Transaction } from './transaction.ts';

export interface DialogueSettings {
  readonly codec: MysqlSettings;
  readonly connection: MysqlConnection;
  /** `undefined`: users are called as they are online, and have no password. */
  readonly credentials: CredentialMap | undefined;
  /** On the target, for a client whose login was not seen. */
  readonly database: string | undefined;
  /** Files for LOAD DATA LOCAL are sent. */
  readonly localInfile: boolean;
}

const QUERY = 0x03;
/** Faults that pass: the next session is tried. */
const PASSES = /too many connections/;

export class MysqlDialogue implements Dialogue {
  fault: string | undefined;
  readonly #settings: DialogueSettings;
  readonly #state: SessionState;
  /** Statements that the client's commands have made on the target, in whatever session. */
  readonly #made = new WeakSet<PreparedStatement>();
  readonly #transaction = new Transaction();
  // Of this session:
  #packets = new PacketAssembler();
  #handshake: Handshake | undefined;
  #agreed: AgreedSession | undefined;
  #reader: MysqlResponseReader | undefined;
  #statements = new TargetStatements(false);
  #failure: string | undefined;
  #ended = false;
  /** Own commands that are to go, and those that are under way. */
  #own: MysqlCommand[] = [];
  readonly #asked = new Set<MysqlCommand>();
  /** The target waits for a file, whose first packet has this number. */
  #fileFrom: number | undefined;

  constructor(settings: DialogueSettings) {
    this.#settings = settings;
    this.#state = new SessionState(settings.database);
  }

  get reading(): boolean {
    if (this.#ended || this.#failure !== undefined) return false;
    return this.#reader?.reading ?? true;
  }

  get failure(): string | undefined {
    return this.#failure ?? this.#reader?.failure;
  }

  get closes(): boolean {
    return this.#reader?.closes ?? false;
  }

  opened(): void {
    this.#packets = new PacketAssembler();
    this.#handshake = undefined;
    this.#agreed = undefined;
    this.#reader = undefined;
    this.#statements = new TargetStatements(false);
    this.#failure = undefined;
    this.#ended = false;
    this.#own = [];
    this.#asked.clear();
    this.#fileFrom = undefined;
    this.#transaction.sessionEnded();
  }

  prepare({ message, bytes }: OutgoingRequest): Preparation {
    if (!(message instanceof MysqlCommand)) return { refuse: 'not read as MySQL' };
    const lost = this.#transaction.refuses(message);
    if (lost !== undefined) return lost;
    if (message.name === 'LOGIN') return this.#prepareLogin(message);
    if (this.#agreed === undefined) {
      if (this.#handshake === undefined) this.#begin(undefined);
      // The client's login waited, and was left out or lost: what it would have been is said all the same.
      else this.#handshake.standAlone();
      return 'wait';
    }
    if (this.#handshake !== undefined) return this.#handshake.answerOf(message);
    if (this.#own.length > 0 || this.#asked.size > 0) return 'wait';
    if (this.#fileFrom !== undefined && message.name !== 'LOCAL_DATA') {
      this.#sendNoFile(this.#fileFrom);
      return 'wait';
    }
    if (message.name === 'CHANGE_USER') return this.#prepareChange(message, this.#agreed);
    if (message.name === 'LOCAL_DATA')
      return this.#fileFrom === undefined ? { refuse: 'the target asked for no file' } : 'send';
    if (ABOUT_STATEMENT.includes(message.name)) return this.#prepareStatement(message, bytes);
    return message.hasAttributes ? this.#prepareQuery(message, this.#agreed) : 'send';
  }

  transmit(): Uint8Array | undefined {
    const answer = this.#handshake?.transmit();
    if (answer !== undefined) return answer;
    const command = this.#own.shift();
    if (command === undefined) return undefined;
    this.#asked.add(command);
    if (command.prepares !== undefined) this.#statements.asked(command.prepares);
    this.#reader!.sent(command);
    return command.serialize();
  }

  sent(message: unknown): boolean {
    if (!(message instanceof MysqlCommand)) return false;
    if (this.#handshake?.command === message) {
      this.#handshake.replaced();
      this.#state.logsIn(message);
      return true;
    }
    if (message.prepares !== undefined) {
      this.#statements.asked(message.prepares);
      this.#made.add(message.prepares);
    }
    if (message.name === 'LOCAL_DATA') this.#fileFrom = undefined;
    this.#statements.sent(message);
    return this.#reader?.sent(message) ?? false;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#reader !== undefined && this.#handshake === undefined) this.#reader.push(bytes, offset, length);
    else this.#packets.push(bytes, offset, length);
  }

  gap(length: number): void {
    if (this.#reader !== undefined && this.#handshake === undefined) this.#reader.gap(length);
    else this.#failure = 'gap';
  }

  end(): void {
    this.#ended = true;
    this.#reader?.end();
  }

  next(): ServerMessage | undefined {
    for (;;) {
      if (this.#reader === undefined || this.#handshake !== undefined) {
        const response = this.#shakeHands();
        if (response !== undefined) return { message: response, completes: true };
        if (this.#reader === undefined || this.#handshake !== undefined) return undefined;
      }
      const said = this.#reader.next();
      if (said === undefined) return undefined;
      const response = said.message as MysqlResponse;
      const { command } = response;
      if (command === undefined || !said.completes) return said;
      this.#transaction.answered(response.serverStatus);
      if (this.#asked.delete(command)) {
        if (command.prepares !== undefined) this.#statements.answered(command.prepares, response);
        if (command.name !== 'LOCAL_DATA') continue;
        // What comes of a file that was not sent answers the query that wanted it.
        return said;
      }
      if (response.kind === 'file-wanted') {
        const from = this.#reader.sequence + 1;
        this.#fileFrom = from;
        if (this.#settings.localInfile) return said;
        this.#sendNoFile(from);
        continue;
      }
      this.#learn(command, response);
      return said;
    }
  }

  /** The client's login is done anew; the session it would be in is this one, or there is none yet. */
  #prepareLogin(command: MysqlCommand): Preparation {
    if (this.#agreed !== undefined) return { refuse: 'a second login in a session' };
    if (this.#handshake === undefined) {
      this.#state.logsIn(command);
      this.#begin(command);
      this.#shakeHands();
    }
    return this.#handshake?.answerOf(command) ?? 'wait';
  }

  #prepareChange(command: MysqlCommand, agreed: AgreedSession): Preparation {
    const { login } = command;
    if (login === undefined) return { refuse: 'a change of user that cannot be read' };
    if (this.#reader?.idle === false) return 'wait';
    const credentials = this.#credentialsOf(Buffer.from(login.user).toString());
    if (credentials === undefined) return 'wait';
    const charset = login.charset;
    const fields = { database: Buffer.from(command.database ?? ''), charset, attributes: login.attributes };
    const change = new UserChange(agreed, fields, credentials);
    const begin = change.begin();
    this.fault = change.fault;
    if (begin === undefined) return 'wait';
    this.#handshake = new Handshake(change, command, begin);
    return this.#handshake.answerOf(command);
  }

  #prepareStatement(command: MysqlCommand, bytes: Uint8Array): Preparation {
    const prepared = this.#statements.prepare(command, bytes);
    if (typeof prepared !== 'object' || !('lacks' in prepared)) return prepared;
    const { lacks } = prepared;
    if (!this.#made.has(lacks)) return { refuse: 'its statement was not sent' };
    if (!lacks.command.whole) return { refuse: 'its statement is too long to be prepared anew' };
    const again = lacks.command.clone();
    again.prepares = lacks;
    this.#own.push(again);
    return 'wait';
  }

  /** A target that takes no attributes takes the text alone. */
  #prepareQuery(command: MysqlCommand, { capabilities }: AgreedSession): Preparation {
    if ((capabilities.flags & CLIENT.QUERY_ATTRIBUTES) !== 0) return 'send';
    if (!command.whole) return { refuse: 'too long for a target without query attributes' };
    return { bytes: toPackets(Buffer.concat([Uint8Array.of(QUERY), command.textBytes])), instead: 'whole' };
  }

  /** Begins a login: in the place of the client's `command`, or of the dialogue's own. */
  #begin(command: MysqlCommand | undefined): void {
    const { login, schema } = this.#settings.connection;
    // A login that did not come here, for it was left out, or lost: it is known all the same.
    if (this.#state.client === undefined && command === undefined) this.#state.logsIn({ login, database: schema });
    const { user, client, database } = this.#state;
    const credentials = this.#credentialsOf(user);
    if (credentials === undefined) return;
    const named = database === undefined ? undefined : Buffer.from(database);
    this.#handshake = new Handshake(new Login({ credentials, client, database: named }), command);
  }

  #credentialsOf(user: string | undefined): Credentials | undefined {
    const { credentials } = this.#settings;
    const found = credentials === undefined && user !== undefined ? new Credentials(user, '') : credentials?.of(user);
    if (found === undefined) this.fault = 'no user on the target is given for it';
    return found;
  }

  /** Takes the handshake on as far as the target's packets go; what ends it for a command of the client's is returned. */
  #shakeHands(): MysqlResponse | undefined {
    const handshake = this.#handshake;
    if (handshake === undefined) return undefined;
    if (this.#packets.overflow) this.#failure = 'login';
    if (!handshake.advance(this.#packets)) return undefined;
    const { command, fault, agreed } = handshake;
    if (fault !== undefined) {
      if (PASSES.test(fault)) this.#failure = 'login';
      else this.fault = fault;
      return undefined;
    }
    this.#agree(agreed!, command === undefined);
    return command === undefined
      ? undefined
      : new MysqlResponse({ kind: 'ok', command, serverStatus: agreed!.status, length: 0 });
  }

  /** The login is done; `own`: it was the dialogue's own. */
  #agree(agreed: AgreedSession, own: boolean): void {
    this.#agreed = agreed;
    this.#handshake = undefined;
    const { codec, connection } = this.#settings;
    this.#reader = new MysqlResponseReader(codec, { connection, online: false }, agreed.capabilities);
    this.#statements = new TargetStatements((agreed.capabilities.flags & CLIENT.QUERY_ATTRIBUTES) !== 0);
    const rest = this.#packets.rest();
    if (rest.length > 0) this.#reader.push(rest, 0, rest.length);
    if (own) this.#own = this.#state.statements.map((sql) => this.#query(sql));
  }

  #query(sql: string): MysqlCommand {
    const payload = Buffer.concat([Uint8Array.of(QUERY), Buffer.from(sql)]);
    return MysqlCommand.read(this.#settings.connection, 'QUERY', toPackets(payload), true);
  }

  /** An empty file, and what comes of it. */
  #sendNoFile(sequence: number): void {
    this.#fileFrom = undefined;
    const bytes = Buffer.from(packet(sequence, new Uint8Array(0)));
    this.#own.push(MysqlCommand.read(this.#settings.connection, 'LOCAL_DATA', bytes, true));
  }

  /** The target has done what the client said, or has not. */
  #learn(command: MysqlCommand, response: MysqlResponse): void {
    if (command.prepares !== undefined) this.#statements.answered(command.prepares, response);
    if (response.kind === 'error') return;
    this.#state.follow(command);
    if (command.name === 'RESET_CONNECTION') this.#statements.clear();
  }
}
