/**
 * A login or a change of user that is under way: what the target says of it, and what is said to the target, by itself or in the
 * place of the client's command that it stands for.
 */
import type { Preparation } from 'tcpcopy/plugin';
import type { MysqlCommand } from './command.ts';
import type { AgreedSession, Login, UserChange } from './login/index.ts';
import type { PacketAssembler } from './packet-assembler.ts';

export class Handshake {
  readonly #login: Login | UserChange;
  #command: MysqlCommand | undefined;
  /** What is to be said next. */
  readonly #answers: Uint8Array[] = [];
  /** The first answer has gone in the place of the client's command. */
  #replaced = false;

  /** `command`: the client's; `undefined`: it is the dialogue's own. `begin`: what is said before the target says anything. */
  constructor(login: Login | UserChange, command: MysqlCommand | undefined, begin?: Uint8Array) {
    this.#login = login;
    this.#command = command;
    if (begin !== undefined) this.#answers.push(begin);
  }

  /** The client's command that it stands for, if it does. */
  get command(): MysqlCommand | undefined {
    return this.#command;
  }

  /** What went wrong, once it is over; `undefined`: nothing. */
  get fault(): string | undefined {
    return this.#login.fault;
  }

  get agreed(): AgreedSession | undefined {
    return this.#login.agreed;
  }

  /** Takes it on as far as the target's packets go; returns whether it is over. */
  advance(packets: PacketAssembler): boolean {
    while (!this.#login.over) {
      const next = packets.next();
      if (next === undefined) return false;
      const answer = this.#login.handle(next.sequence, next.payload);
      if (answer !== undefined) this.#answers.push(answer);
    }
    return true;
  }

  /** What goes in the place of a command, which waits where that is not known yet, or the command is another one. */
  answerOf(command: MysqlCommand): Preparation {
    const [bytes] = this.#answers;
    return this.#command !== command || bytes === undefined ? 'wait' : { bytes, instead: 'whole' };
  }

  /** That has gone. */
  replaced(): void {
    this.#replaced = true;
    this.#answers.shift();
  }

  /** The client's command will not come any more: unless it has gone, what it would have been is said all the same. */
  standAlone(): void {
    if (!this.#replaced) this.#command = undefined;
  }

  /** What is to be said by itself, in no command's place. */
  transmit(): Uint8Array | undefined {
    return this.#command === undefined || this.#replaced ? this.#answers.shift() : undefined;
  }
}
