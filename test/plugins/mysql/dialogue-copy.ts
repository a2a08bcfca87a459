import {
  MysqlCommandCodec,
  MysqlConnection,
  MysqlDialogue,
  MysqlResponseReader,
  mysqlSettings,
  type DialogueSettings,
  type MysqlCommand,
  type MysqlPiece,
  type MysqlResponse,
} from '../../../plugins/mysql/index.ts';
import { parseClientHello } from '../../../plugins/mysql/login/index.ts';
import { CredentialMap, Credentials } from '../../../src/plugin/index.ts';
import { contentOf, Pusher } from '../../support/codec-driving.ts';
import { clientLogin, greeting, ok } from './servers.ts';
import { feed } from './transcript.ts';

/** A dialogue as the engine drives it, with a client, an online server, and a target whose bytes the test gives. */
export class Copy {
  readonly connection = new MysqlConnection();
  readonly dialogue: MysqlDialogue;
  readonly #codec: MysqlCommandCodec;
  readonly #online: MysqlResponseReader;
  readonly #pusher = new Pusher();
  readonly #waiting: { readonly message: MysqlCommand; readonly bytes: Uint8Array }[] = [];

  constructor(settings: Partial<DialogueSettings> = {}, fromSyn = true) {
    const codec = settings.codec ?? mysqlSettings();
    const { connection } = this;
    const credentials = CredentialMap.forAll(new Credentials('shadow', 'secret'));
    this.dialogue = new MysqlDialogue({
      ...{ codec, connection, credentials, database: undefined, localInfile: false },
      ...settings,
    });
    this.#codec = new MysqlCommandCodec(connection, fromSyn, codec);
    this.#online = new MysqlResponseReader(codec, { connection, online: true });
    this.dialogue.opened();
  }

  /** The client's bytes; `online`: what the online server says to them. Returns what is sent to the target. */
  client(bytes: Uint8Array, online?: Uint8Array): string[] {
    this.#codec.push(this.#pusher.input(bytes, 1));
    for (let piece: MysqlPiece | undefined; (piece = this.#codec.next()) !== undefined;) {
      if (!piece.first) continue;
      this.#online.sent(piece.message);
      this.#waiting.push({ message: piece.message!, bytes: contentOf(piece) });
    }
    if (online !== undefined) {
      this.#online.push(online, 0, online.length);
      while (this.#online.next() !== undefined);
    }
    return this.#send();
  }

  /** The target's bytes. Returns what is sent then. */
  target(...packets: readonly Uint8Array[]): string[] {
    const bytes = Buffer.concat(packets);
    this.dialogue.push(bytes, 0, bytes.length);
    for (let said = this.dialogue.next(); said !== undefined; said = this.dialogue.next()) {
      this.shown.push(`${(said.message as MysqlResponse).toString()}${said.completes ? '' : ' …'}`);
    }
    return this.#send();
  }

  /** What taps were shown. */
  readonly shown: string[] = [];

  /** What waits is left out. */
  lose(): void {
    this.#waiting.length = 0;
  }

  /** The target has closed, and another session is opened for what comes next. */
  fresh(): string[] {
    this.dialogue.opened();
    return this.#send();
  }

  #send(): string[] {
    const sent: string[] = [];
    const own = () => {
      for (let bytes = this.dialogue.transmit(); bytes !== undefined; bytes = this.dialogue.transmit()) {
        sent.push(`own ${tell(bytes)}`);
      }
    };
    own();
    while (this.#waiting.length > 0) {
      const [{ message, bytes }] = this.#waiting as [{ message: MysqlCommand; bytes: Uint8Array }];
      const said = this.dialogue.prepare({ message, bytes });
      own();
      if (said === 'wait') break;
      this.#waiting.shift();
      if (typeof said === 'object' && 'refuse' in said) {
        sent.push(`refused: ${said.refuse}`);
        continue;
      }
      this.dialogue.sent(message);
      sent.push(said === 'send' ? tell(bytes) : `changed ${tell(said.bytes)}`);
      own();
    }
    return sent;
  }
}

function tell(bytes: Uint8Array): string {
  const hello = bytes[3] === 1 ? parseClientHello(bytes.subarray(4)) : undefined;
  if (hello?.kind === 'login') {
    const { user, database } = hello.response;
    return `login ${Buffer.from(user).toString()}@${Buffer.from(database ?? []).toString()}`;
  }
  if (bytes[3]! > 1) return `packet ${bytes[3]!} ${Buffer.from(bytes.subarray(4)).toString()}`;
  const [seen] = feed([bytes], { fromSyn: false, seen: 1 }).commands;
  if (seen === undefined) return `begins ${[...bytes.subarray(5, 10)].join(' ')}`;
  const { command } = seen;
  if (command.name === 'STMT_EXECUTE') return `execute ${[...command.payload.subarray(1, 64)].join(' ')}`;
  return command.toString();
}

/** A client that has logged in, on both sides. */
export function loggedIn(settings: Partial<DialogueSettings> = {}): Copy {
  const copy = new Copy(settings);
  copy.client(clientLogin(), ok(2));
  copy.target(greeting());
  copy.target(ok(2));
  return copy;
}
