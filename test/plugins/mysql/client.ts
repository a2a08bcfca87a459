/** A MySQL client as plugins see it: what becomes of each of its commands in a run. */
import { definePlugin, type MysqlCommand, type MysqlConnection } from 'tcpcopy/plugin';
import { buildHandshakeResponse } from '../../../plugins/mysql/login/handshake-response.ts';
import { CLIENT } from '../../../plugins/mysql/login/index.ts';
import mysql from '../../../plugins/mysql/index.ts';
import { PluginRig, type TestConnection } from '../plugin-rig.ts';
import { packet } from './transcript.ts';

const CAPABILITIES =
  CLIENT.PROTOCOL_41 |
  CLIENT.SECURE_CONNECTION |
  CLIENT.CONNECT_WITH_DB |
  CLIENT.LONG_PASSWORD |
  CLIENT.MULTI_STATEMENTS;

export interface ClientOptions {
  readonly user?: string;
  readonly database?: string;
  /** Collation of the login. */
  readonly charset?: number;
}

function login({ user = 'app', database = '', charset = 45 }: ClientOptions = {}): Buffer {
  const fields = { capabilities: { flags: CAPABILITIES, extended: 0 }, maxPacket: 1 << 24, charset };
  const texts = { user: Buffer.from(user), database: Buffer.from(database), authPlugin: undefined };
  const rest = { attributes: undefined, zstdLevel: undefined };
  return packet(1, buildHandshakeResponse({ ...fields, ...texts, ...rest }, new Uint8Array(20)));
}

export class MysqlClient {
  readonly connection: TestConnection;
  readonly rig: PluginRig;
  readonly #known: () => MysqlConnection;

  private constructor(rig: PluginRig, known: () => MysqlConnection) {
    this.rig = rig;
    this.#known = known;
    this.connection = rig.connect();
  }

  /** `specs`: plugins with what stands behind `--plugin` for them; `mysql` comes first unless it is among them. */
  static async start(
    specs: Parameters<typeof PluginRig.start>[0],
    options: ClientOptions | undefined = {},
  ): Promise<MysqlClient> {
    let connection: MysqlConnection | undefined;
    const spy = definePlugin({
      name: 'spy',
      description: 'Tells the test of the connection.',
      protocol: 'mysql',
      apply: (hooks) => hooks.mysql.connection.tap('spy', (reading) => void (connection = reading.connection)),
    });
    const given = specs.some(([{ name }]) => name === 'mysql') ? specs : [[mysql, 'mysql'] as const, ...specs];
    const rig = await PluginRig.start([...given, [spy, 'spy']], { opaque: true });
    const client = new MysqlClient(rig, () => connection!);
    client.send(login(options));
    return client;
  }

  get known(): MysqlConnection {
    return this.#known();
  }

  /** Sends one command; what became of it: its reason, where it was dropped, else nothing. */
  send(bytes: Uint8Array): string | undefined {
    const before = this.connection.messages.length;
    this.connection.send(bytes);
    const [seen, ...more] = this.connection.messages.slice(before);
    if (seen === undefined || more.length > 0) throw new Error('one command is not one message');
    return seen.reason;
  }

  /** In several segments, as a packet comes that is not held whole once it is long. */
  queryInParts(sql: string): string | undefined {
    const bytes = packet(0, 3, sql);
    const why = this.send(bytes.subarray(0, bytes.length - 10));
    this.connection.send(bytes.subarray(-10), 0);
    return why;
  }

  query(sql: string): string | undefined {
    return this.send(packet(0, 3, sql));
  }

  /** Prepares a statement, which the server gives `id`. */
  prepare(sql: string, id: number, parameters = 0): string | undefined {
    const why = this.send(packet(0, 0x16, sql));
    this.known.prepared(id, this.known.lastStatement!, parameters);
    return why;
  }

  /** A command about a statement: EXECUTE is 0x17. */
  about(code: number, id: number, rest: readonly number[] = [0, 1, 0, 0, 0]): string | undefined {
    return this.send(packet(0, code, [id, 0, 0, 0], rest));
  }

  /** The last command, as plugins left it. */
  get last(): MysqlCommand {
    return this.connection.messages.at(-1)!.message as MysqlCommand;
  }

  /** Of it, the payload as it will be sent, as text. */
  get sent(): string {
    return Buffer.from(this.last.serialize()).toString('latin1').slice(5);
  }
}
