/**
 * A made-up protocol of lines that needs all of a dialogue, as a plugin: the server speaks first and challenges, ids are
 * the server's own, and a room and what was kept are forgotten with the session.
 *
 *     S: desk CHALLENGE            C: login NAME ANSWER     S: +in   (or !no, and it closes)
 *     C: room NAME                 S: +room NAME
 *     C: keep TEXT                 S: +id N
 *     C: show N                    S: -part, +TEXT          (or !unknown)
 *     C: note TEXT                 no response
 *     C: bye                       S: +bye, and it closes
 */
import {
  definePlugin,
  z,
  type ClientBytes,
  type Codec,
  type ConnectionInfo,
  type Dialogue,
  type Instant,
  type OutgoingRequest,
  type Piece,
  type Preparation,
  type RequestHook,
  type ResponseHook,
  type ResponseReader,
  type ServerMessage,
} from 'tcpcopy/plugin';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly desk: { readonly command: RequestHook<DeskCommand>; readonly reply: ResponseHook<DeskReply> };
  }
}

export interface DeskCommand {
  readonly verb: string;
  readonly text: string;
}

export interface DeskReply {
  readonly line: string;
  readonly origin: string;
}

const VERBS = /^(login|room|keep|show|note|bye)\b/;
const LONGEST_LINE = 4_096;

export function answerTo(challenge: string, password: string): string {
  return `${[...challenge].reverse().join('')}${password}`;
}

/** Client lines, each a message. */
class DeskCodec implements Codec {
  readonly protocol = 'desk';
  skippedBytes = 0;
  skippedMessages = 0;
  #text = '';
  #answers = 0;
  #time = 0 as Instant;

  push({ bytes, offset, length, time, serverBytesSeen }: ClientBytes): void {
    this.#text += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    this.#answers += serverBytesSeen;
    this.#time = time;
  }

  next(): Piece | undefined {
    const end = this.#text.indexOf('\n');
    if (end < 0) return undefined;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    const bytes = Buffer.from(`${line}\n`, 'latin1');
    const answers = this.#answers;
    this.#answers = 0;
    const message = commandOf(line);
    return { bytes, offset: 0, length: bytes.length, time: this.#time, first: true, last: true, answers, message };
  }

  gap(length: number): boolean {
    this.skippedBytes += length + this.#text.length;
    this.skippedMessages++;
    this.#text = '';
    return false;
  }
}

function commandOf(line: string): DeskCommand {
  const [verb = '', ...words] = line.split(' ');
  return { verb, text: words.join(' ') };
}

/** Server lines: those with + or ! end a response. */
class DeskReader implements ResponseReader {
  reading = true;
  failure: string | undefined;
  closes = false;
  readonly #origin: string;
  #text = '';

  constructor(origin: string) {
    this.#origin = origin;
  }

  sent(message: unknown): boolean {
    return (message as DeskCommand | undefined)?.verb !== 'note';
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#text += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    if (this.#text.length <= LONGEST_LINE) return;
    this.reading = false;
    this.failure = 'line too long';
  }

  next(): ServerMessage | undefined {
    const end = this.#text.indexOf('\n');
    if (end < 0 || !this.reading) return undefined;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    if (line === '+bye') this.closes = true;
    return { message: { line, origin: this.#origin } satisfies DeskReply, completes: /^[+!]/.test(line) };
  }

  end(): void {
    this.reading = false;
  }
}

type Waiting =
  | { readonly own: 'login' | 'room' }
  | { readonly own: 'keep'; readonly of: DeskCommand }
  | { readonly own: undefined; readonly command: DeskCommand };

export class DeskDialogue implements Dialogue {
  fault: string | undefined;
  readonly #users: Readonly<Record<string, string>>;
  readonly #fallback: string;
  /** What was kept, by its id at the online server; that may be known before it goes to the target. */
  readonly #kept = new Map<string, DeskCommand>();
  /** What the target has kept in some session. */
  readonly #made = new Set<DeskCommand>();
  #name: string | undefined;
  #room: string | undefined;
  // Of this session:
  #reader = new DeskReader('target');
  #challenge: string | undefined;
  #state: 'greeting' | 'login' | 'ready' = 'greeting';
  #waiting: Waiting[] = [];
  #own: string[] = [];
  #ids = new Map<DeskCommand, string>();

  constructor(users: Readonly<Record<string, string>>, fallback: string) {
    this.#users = users;
    this.#fallback = fallback;
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
    this.#reader = new DeskReader('target');
    this.#challenge = undefined;
    this.#state = 'greeting';
    this.#waiting = [];
    this.#own = [];
    this.#ids = new Map();
  }

  prepare({ message }: OutgoingRequest): Preparation {
    const command = message as DeskCommand;
    if (this.#state === 'greeting' && this.#challenge !== undefined && command.verb === 'login') {
      this.#name = command.text.split(' ')[0]!;
      return { bytes: Buffer.from(this.#loginLine(this.#challenge)), instead: 'whole' };
    }
    this.#logIn();
    if (this.#state !== 'ready' || this.#own.length > 0 || this.#waiting.some(({ own }) => own !== undefined))
      return 'wait';
    if (command.verb !== 'show') return 'send';
    const kept = this.#kept.get(command.text);
    const id = kept && this.#ids.get(kept);
    if (id === undefined) return { refuse: 'kept before the copy began' };
    return { bytes: Buffer.from(`show ${id}\n`), instead: 'first-piece' };
  }

  sent(message: unknown): boolean {
    const command = message as DeskCommand;
    if (command.verb === 'login') this.#state = 'login';
    if (command.verb === 'note') return false;
    this.#waiting.push({ own: undefined, command });
    return true;
  }

  transmit(): Uint8Array | undefined {
    const line = this.#own.shift();
    return line === undefined ? undefined : Buffer.from(line);
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#reader.push(bytes, offset, length);
  }

  next(): ServerMessage | undefined {
    for (let said = this.#reader.next(); said !== undefined; said = this.#reader.next()) {
      const shown = this.#hear(said);
      if (shown !== undefined) return shown;
    }
    return undefined;
  }

  end(): void {
    this.#reader.end();
  }

  heardOnline({ message }: ServerMessage, request: unknown): void {
    const command = request as DeskCommand | undefined;
    const id = /^\+id (.*)$/.exec((message as DeskReply).line)?.[1];
    if (command?.verb === 'keep' && id !== undefined) this.#kept.set(id, command);
  }

  /** What taps are shown of it. */
  #hear(said: ServerMessage): ServerMessage | undefined {
    const { line } = said.message as DeskReply;
    if (this.#challenge === undefined) {
      this.#challenge = line.replace('desk ', '');
      return { message: said.message, completes: false };
    }
    if (!said.completes) return said;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return { message: said.message, completes: false };
    if (waiting.own === 'login' || (waiting.own === undefined && waiting.command.verb === 'login'))
      this.#loggedIn(line);
    else if (waiting.own === 'keep') this.#ids.set(waiting.of, line.replace('+id ', ''));
    else if (waiting.own === undefined) this.#learn(waiting.command, line);
    return waiting.own === undefined ? said : undefined;
  }

  #learn(command: DeskCommand, line: string): void {
    if (command.verb === 'room') this.#room = command.text;
    if (command.verb !== 'keep') return;
    this.#made.add(command);
    this.#ids.set(command, line.replace('+id ', ''));
  }

  #logIn(): void {
    if (this.#state !== 'greeting' || this.#challenge === undefined) return;
    this.#name ??= this.#fallback;
    this.#own.push(this.#loginLine(this.#challenge));
    this.#waiting.push({ own: 'login' });
    this.#state = 'login';
  }

  #loginLine(challenge: string): string {
    return `login ${this.#name} ${answerTo(challenge, this.#users[this.#name!] ?? '')}\n`;
  }

  /** A fresh session knows nothing of what was. */
  #loggedIn(line: string): void {
    if (line !== '+in') {
      this.fault = 'the login was refused';
      return;
    }
    this.#state = 'ready';
    if (this.#room !== undefined) {
      this.#own.push(`room ${this.#room}\n`);
      this.#waiting.push({ own: 'room' });
    }
    for (const of of this.#made) {
      this.#own.push(`keep ${of.text}\n`);
      this.#waiting.push({ own: 'keep', of });
    }
  }
}

const row = { moment: 'Now.', nothing: 'Nothing.' };

export default definePlugin({
  name: 'desk',
  description: 'A made-up protocol that needs a dialogue.',
  options: z.object({ users: z.record(z.string(), z.string()).default({}), fallback: z.string().default('guest') }),
  apply(hooks, { users, fallback }) {
    hooks.provide('desk', {
      hooks: {
        command: { ...row, role: 'request', payload: 'DeskCommand' },
        reply: { ...row, role: 'response', payload: 'DeskReply' },
      },
      detect: (bytes, offset, length, _connection: ConnectionInfo) =>
        VERBS.test(Buffer.from(bytes.subarray(offset, offset + Math.min(length, 16))).toString('latin1'))
          ? 'yes'
          : 'no',
      codec: () => new DeskCodec(),
      responses: (_connection, origin) => new DeskReader(origin),
      dialogue: () => new DeskDialogue(users, fallback),
      onlineResponses: true,
    });
  },
});
