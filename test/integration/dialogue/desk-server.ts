/** The server of the protocol in test/support/desk-protocol.ts, on loopback, with a diary of every connection. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { answerTo } from '../../support/desk-protocol.ts';

export interface DeskServerOptions {
  readonly users: Readonly<Record<string, string>>;
  /** A connection on which so many things were kept is closed soon after. */
  readonly closesAfter?: number;
}

export class DeskServer {
  /** Lines of each connection, in the order they were opened: those that it took. */
  readonly diaries: string[][] = [];
  readonly #options: DeskServerOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #ids = 100;

  static async start(options: DeskServerOptions): Promise<DeskServer> {
    const desk = new DeskServer(options);
    desk.#server.listen(0, '127.0.0.1');
    await once(desk.#server, 'listening');
    return desk;
  }

  private constructor(options: DeskServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket): void {
    const diary: string[] = [];
    const number = this.diaries.push(diary);
    const challenge = `challenge${number}`;
    const things = new Map<string, string>();
    let known = false;
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#open.delete(socket));
    // Slow, so that a client that does not wait for it is found out.
    setTimeout(() => socket.write(`desk ${challenge}\n`), 30);
    const input = createInterface(socket);
    input.on('error', () => undefined);
    input.on('line', (line) => {
      const [verb, ...words] = line.split(' ');
      const text = words.join(' ');
      diary.push(line);
      if (verb === 'login') {
        known = this.#knows(words, challenge);
        socket.write(known ? '+in\n' : '!no\n');
        if (!known) socket.end();
      } else if (!known) {
        socket.destroy();
      } else if (verb === 'keep') {
        const id = String(this.#ids++);
        things.set(id, text);
        socket.write(`+id ${id}\n`);
        if (things.size === this.#options.closesAfter && number === 1) setTimeout(() => socket.end(), 20);
      } else if (verb === 'show') {
        socket.write(things.has(text) ? `-part\n+${things.get(text)}\n` : '!unknown\n');
      } else if (verb !== 'note') {
        socket.write(`+${line}\n`);
        if (verb === 'bye') socket.end();
      }
    });
  }

  #knows([name = '', answer]: readonly string[], challenge: string): boolean {
    const password = this.#options.users[name];
    return password !== undefined && answer === answerTo(challenge, password);
  }
}
