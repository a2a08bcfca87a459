/** What a client has built up in its session to the target, so that a fresh one can be brought to the same. */
import type { MysqlCommand } from './command.ts';
import type { ChangeUser, HandshakeResponse } from './login/index.ts';
import { SqlSession } from './sql/index.ts';
import { settingOf } from './statements.ts';

/** Settings that are remembered, and the longest text of one. */
const MOST_SETTINGS = 64;
const LONGEST_SETTING = 4096;

export class SessionState {
  /** The user online; `undefined`: it logged in before copying began. */
  user: string | undefined;
  /** The login as the client sent it; `undefined` likewise. */
  client: HandshakeResponse | undefined;
  /** On the target. */
  database: string | undefined;
  /** Its `SET` statements, in the order they were last said: what each is about, and its text. */
  readonly #settings = new Map<string, string>();

  /** `database`: of a client whose login was not seen. */
  constructor(database: string | undefined) {
    this.database = database;
  }

  /** The client logs in, or becomes somebody else. */
  logsIn({ login, database }: Pick<MysqlCommand, 'login' | 'database'>): void {
    if (login === undefined) return;
    this.user = Buffer.from(login.user).toString();
    if (isHandshake(login)) this.client = login;
    this.database = database;
    this.#settings.clear();
  }

  /** The target has done what the client said. */
  follow(command: MysqlCommand): void {
    const { name } = command;
    if (name === 'INIT_DB') this.database = command.database;
    else if (name === 'RESET_CONNECTION') this.#settings.clear();
    else if (name === 'QUERY' && command.whole) this.#query(command);
  }

  /** Statements that bring a fresh session here, behind a login with `database`. */
  get statements(): readonly string[] {
    return [...this.#settings.values()];
  }

  #query(command: MysqlCommand): void {
    const { sql = '', sqlText = '' } = command;
    if (!SqlSession.concerns(sqlText)) return;
    this.database = new SqlSession().follow(sqlText, command.analysis!) ?? this.database;
    const about = sql.length > LONGEST_SETTING ? undefined : settingOf(sql);
    if (about === undefined) return;
    this.#settings.delete(about);
    if (this.#settings.size < MOST_SETTINGS) this.#settings.set(about, sql);
  }
}

function isHandshake(login: HandshakeResponse | ChangeUser): login is HandshakeResponse {
  return 'capabilities' in login;
}
