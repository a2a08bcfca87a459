/** What a connection has built up on the server, so that a fresh one can be brought to the same. */
import type { Credentials } from 'tcpcopy/plugin';
import type { RedisCommand } from './command.ts';
import { authPosition, loginArguments, loginOf } from './login.ts';
import { Subscriptions } from './pub-sub.ts';

/** Commands that leave something behind, of which the last one counts; others have rules of their own. */
const LASTING: readonly string[] = [
  ...['CLIENT SETNAME', 'CLIENT TRACKING', 'CLIENT NO-EVICT', 'CLIENT NO-TOUCH', 'READONLY', 'MONITOR'],
];

export class SessionState {
  /** Logged in as; `undefined`: not by the client. */
  credentials: Credentials | undefined;
  /** Of the target. */
  database: number;
  /** The version of RESP, when the client has asked for one. */
  protocol: string | undefined;
  readonly subscriptions = new Subscriptions();
  #silent = false;
  readonly #lasting = new Map<string, readonly Uint8Array[]>();
  readonly #zero: number;

  /** `database`: the target's for what the client begins with; `zero`: that which is 0 online. */
  constructor(database: number, zero: number) {
    this.database = database;
    this.#zero = zero;
  }

  /** A command was done. */
  follow(command: RedisCommand): void {
    const { name } = command;
    if (this.subscriptions.follow(command) !== undefined) return;
    if (LASTING.includes(name)) this.#lasting.set(name, command.args);
    else if (name === 'READWRITE') this.#lasting.delete('READONLY');
    else if (name === 'SELECT') this.database = Number(command.text(1));
    else if (name === 'AUTH') this.credentials = loginOf(command, 1, command.length - 1);
    else if (name === 'HELLO') this.#hello(command);
    else if (name === 'CLIENT REPLY') this.#silent = command.text(2)?.toUpperCase() === 'OFF';
    else if (name === 'RESET') this.#reset();
  }

  /** The commands that bring a fresh connection here. `login`: to be done in it; `undefined`: it is done, or not needed. */
  commands(login: Credentials | undefined): (readonly (string | Uint8Array)[])[] {
    const commands: (readonly (string | Uint8Array)[])[] = [];
    if (this.protocol !== undefined) {
      commands.push(['HELLO', this.protocol, ...(login === undefined ? [] : ['AUTH', login.user, login.password])]);
    } else if (login !== undefined) {
      commands.push(['AUTH', ...loginArguments(login)]);
    }
    if (this.database !== 0) commands.push(['SELECT', String(this.database)]);
    const { MONITOR: monitor, ...others } = Object.fromEntries(this.#lasting);
    commands.push(...Object.values(others), ...this.subscriptions.commands());
    if (monitor !== undefined) commands.push(monitor);
    if (this.#silent) commands.push(['CLIENT', 'REPLY', 'OFF']);
    return commands;
  }

  #hello(command: RedisCommand): void {
    this.protocol = command.text(1) ?? this.protocol;
    const at = authPosition(command);
    if (at >= 0) this.credentials = loginOf(command, at + 1, 2);
    for (let i = 2; i + 1 < command.length; i++) {
      if (command.text(i)!.toUpperCase() === 'AUTH') i += 2;
      else if (command.text(i)!.toUpperCase() === 'SETNAME') {
        this.#lasting.set('CLIENT SETNAME', [Buffer.from('CLIENT'), Buffer.from('SETNAME'), command.args[i + 1]!]);
      }
    }
  }

  #reset(): void {
    this.credentials = undefined;
    this.database = this.#zero;
    this.protocol = undefined;
    this.subscriptions.clear();
    this.#silent = false;
    this.#lasting.clear();
  }
}
