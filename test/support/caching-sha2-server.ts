/**
 * A server that knows one method, caching_sha2_password, as MySQL 8 does over a plain link: a password it has not seen since it
 * began has to come whole, encrypted by its key; one that it has seen is known by its hash. It answers every command with OK.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */
import { constants, createHash, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parseChangeUser, parseClientHello, packet } from '../../plugins/mysql/login/index.ts';
import { CLIENT } from '../../plugins/mysql/login/capabilities.ts';
import { buildAuthMoreData, buildAuthSwitch, buildErr, buildGreeting, buildOk } from './mysql-server-packets.ts';

const METHOD = 'caching_sha2_password';
const FLAGS = (0xffff_ffff & ~(CLIENT.SSL | CLIENT.COMPRESS | CLIENT.ZSTD_COMPRESSION)) >>> 0;
const OK = buildOk({ affectedRows: 0, lastInsertId: 0, status: 2, warnings: 0 });
const DENIED = buildErr({ code: 1045, sqlState: '28000', message: 'Access denied' });
const CHANGE_USER = 0x11;

export interface Sha2ServerOptions {
  readonly users: ReadonlyMap<string, string>;
  /** Greets with this method, and asks for its own in a switch. */
  readonly greetsWith?: string;
  /** On all addresses; else on a free one of the loopback interface. */
  readonly port?: number;
  /** Told of each login and of each command of text. */
  readonly log?: (line: string) => void;
}

export class CachingSha2Server {
  /** How each login went. */
  readonly logins: ('fast' | 'full' | 'empty' | 'denied')[] = [];
  /** Hashes of passwords that are known, by user. */
  readonly #cache = new Map<string, Buffer>();
  readonly #options: Sha2ServerOptions;
  readonly #keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  readonly #server: Server;

  static async start(options: Sha2ServerOptions): Promise<CachingSha2Server> {
    const server = new CachingSha2Server(options);
    await new Promise<void>((resolve) =>
      options.port === undefined
        ? server.#server.listen(0, '127.0.0.1', resolve)
        : server.#server.listen(options.port, resolve),
    );
    return server;
  }

  private constructor(options: Sha2ServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined);
      void this.#serve(socket).catch(() => socket.destroy());
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(socket: Socket): Promise<void> {
    const wire = new Wire(socket);
    let scramble = challenge();
    const authPlugin = this.#options.greetsWith ?? METHOD;
    const capabilities = { flags: FLAGS, extended: 0 };
    wire.write(
      buildGreeting({
        ...{ serverVersion: '8.0.36', connectionId: 1, charset: 255, status: 2 },
        ...{ scramble, capabilities, authPlugin },
      }),
    );
    const hello = parseClientHello(await wire.read());
    if (hello?.kind !== 'login') throw new Error('no login');
    const { response } = hello;
    let answer: Uint8Array = response.authResponse;
    if (response.authPlugin !== METHOD || authPlugin !== METHOD) {
      scramble = challenge();
      wire.write(buildAuthSwitch(METHOD, scramble));
      answer = await wire.read();
    }
    if (!(await this.#admit(wire, text(response.user), answer, scramble))) return void socket.end();
    for (;;) {
      const command = await wire.read();
      if (command[0] !== CHANGE_USER) {
        this.#options.log?.(text(command.subarray(1)));
        wire.write(OK);
        continue;
      }
      const change = parseChangeUser(command, response.capabilities);
      if (change === undefined) throw new Error('no change of user');
      scramble = challenge();
      wire.write(buildAuthSwitch(METHOD, scramble));
      if (!(await this.#admit(wire, text(change.user), await wire.read(), scramble))) return void socket.end();
    }
  }

  async #admit(wire: Wire, user: string, answer: Uint8Array, scramble: Buffer): Promise<boolean> {
    const password = this.#options.users.get(user);
    const verdict = password === undefined ? 'denied' : await this.#verify(wire, user, password, answer, scramble);
    this.logins.push(verdict);
    this.#options.log?.(`${verdict} as ${user}`);
    wire.write(verdict === 'denied' ? DENIED : OK);
    return verdict !== 'denied';
  }

  async #verify(wire: Wire, user: string, password: string, answer: Uint8Array, scramble: Buffer) {
    if (answer.length === 0 || (answer.length === 1 && answer[0] === 0)) return password === '' ? 'empty' : 'denied';
    const known = this.#cache.get(user);
    if (known !== undefined) {
      const once = xor(answer, sha256(known, scramble));
      if (!sha256(once).equals(known)) return 'denied';
      wire.write(buildAuthMoreData(Uint8Array.of(3)));
      return 'fast';
    }
    wire.write(buildAuthMoreData(Uint8Array.of(4)));
    if (!Buffer.from(await wire.read()).equals(Uint8Array.of(2))) throw new Error('no request for the key');
    wire.write(buildAuthMoreData(Buffer.from(this.#keys.publicKey)));
    const key = { key: this.#keys.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const plain = xor(privateDecrypt(key, await wire.read()), scramble).toString();
    if (plain !== `${password}\0`) return 'denied';
    this.#cache.set(user, sha256(sha256(Buffer.from(password))));
    return 'full';
  }
}

/** Packets of one exchange, numbered as they have to be. */
class Wire {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #received = Buffer.alloc(0);
  #sequence = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  write(payload: Uint8Array): void {
    this.#socket.write(packet(this.#sequence++, payload));
  }

  async read(): Promise<Buffer> {
    while (this.#received.length < 4 || this.#received.length < this.#received.readUIntLE(0, 3) + 4) {
      const chunk = await this.#chunks.next();
      if (chunk.done === true) throw new Error('closed');
      this.#received = Buffer.concat([this.#received, chunk.value]);
    }
    const end = this.#received.readUIntLE(0, 3) + 4;
    // A command begins anew with 0.
    const sequence = this.#received[3]!;
    if (sequence !== 0 && sequence !== (this.#sequence & 0xff)) throw new Error(`the packet is number ${sequence}`);
    this.#sequence = sequence + 1;
    const payload = this.#received.subarray(4, end);
    this.#received = this.#received.subarray(end);
    return payload;
  }
}

function challenge(): Buffer {
  return Buffer.from(randomBytes(20).map((byte) => byte || 1));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(bytes: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ mask[i % mask.length]!));
}
