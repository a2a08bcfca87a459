/** Logs into a server over a real connection with the login of the plugin `mysql`. */
import { connect, type Socket } from 'node:net';
import { Login, UserChange, type AgreedSession, type LoginRequest } from '../../plugins/mysql/login/index.ts';

type Exchange = Pick<Login, 'over' | 'handle'>;

export class MysqlSession {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #arrived: () => void = () => undefined;
  #ended = false;
  /** Everything that was sent. */
  sent = Buffer.alloc(0);

  constructor(port: number, host = '127.0.0.1') {
    this.#socket = connect(port, host);
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#arrived();
    });
    const end = (): void => {
      this.#ended = true;
      this.#arrived();
    };
    this.#socket.on('error', end);
    this.#socket.on('close', end);
  }

  /** What was agreed on, or why not. */
  async login(request: LoginRequest): Promise<AgreedSession | string> {
    const login = new Login(request);
    await this.#run(login);
    return login.agreed ?? login.fault!;
  }

  async change(...given: ConstructorParameters<typeof UserChange>): Promise<AgreedSession | string> {
    const change = new UserChange(...given);
    this.#write(change.begin());
    await this.#run(change);
    return change.agreed ?? change.fault!;
  }

  /** Sends a query of one row with one column; returns its text, or an error's. */
  async ask(sql: string): Promise<string> {
    const payload = Buffer.concat([Uint8Array.of(3), Buffer.from(sql)]);
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    this.#write(Buffer.concat([header, payload]));
    const [, first] = await this.#packet();
    if (first[0] === 0xff) return first.subarray(9).toString();
    await this.#packet();
    let [, row] = await this.#packet();
    // Without CLIENT_DEPRECATE_EOF one stands between columns and rows, else only behind these.
    const eof = row[0] === 0xfe;
    if (eof) [, row] = await this.#packet();
    await this.#packet();
    return row.subarray(1).toString();
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.sent = Buffer.concat([this.sent, bytes]);
    this.#socket.write(bytes);
  }

  async #run(exchange: Exchange): Promise<void> {
    while (!exchange.over) this.#write(exchange.handle(...(await this.#packet())));
  }

  async #packet(): Promise<[sequence: number, payload: Buffer]> {
    for (;;) {
      const length = this.#received.length < 4 ? Infinity : this.#received.readUIntLE(0, 3);
      if (this.#received.length >= length + 4) {
        const sequence = this.#received[3]!;
        const payload = this.#received.subarray(4, 4 + length);
        this.#received = this.#received.subarray(4 + length);
        return [sequence, payload];
      }
      if (this.#ended) throw new Error('the server has closed');
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }
}
