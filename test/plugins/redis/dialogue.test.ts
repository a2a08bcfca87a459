import { describe, expect, it } from 'vitest';
import {
  RedisCommand,
  RedisDialogue,
  redisSettings,
  type DialogueSettings,
  type RedisReply,
} from '../../../plugins/redis/index.ts';
import { Credentials } from '../../../src/plugin/index.ts';
import { text } from '../../support/codec-driving.ts';
import { feed } from './transcript.ts';

const EMPTY = new Uint8Array(0);

/** A dialogue as the engine drives it, with a target whose answers the test gives. */
class Copy {
  readonly dialogue: RedisDialogue;
  readonly #waiting: RedisCommand[] = [];

  constructor(settings: Partial<DialogueSettings> = {}) {
    this.dialogue = new RedisDialogue({
      ...{ codec: redisSettings(), login: undefined, database: 0, zero: 0 },
      ...settings,
    });
    this.dialogue.opened();
  }

  /** The client's commands, words with spaces between, go as far as they may. Returns what is sent. */
  client(...lines: readonly string[]): string[] {
    this.#waiting.push(...lines.map((line) => RedisCommand.of(...line.split(' '))));
    return this.#send();
  }

  /** The target answers. Returns what is sent then, and what taps are shown. */
  target(...replies: readonly string[]): { sent: string[]; shown: string[] } {
    const shown: string[] = [];
    const bytes = text(replies.map((reply) => `${reply}\r\n`).join(''));
    this.dialogue.push(bytes, 0, bytes.length);
    for (let said = this.dialogue.next(); said !== undefined; said = this.dialogue.next()) {
      const reply = said.message as RedisReply;
      shown.push(reply.command?.toString() ?? 'push');
    }
    return { sent: this.#send(), shown };
  }

  /** The target has closed, and the next command opens another session. */
  fresh(...lines: readonly string[]): string[] {
    this.dialogue.opened();
    return this.client(...lines);
  }

  #send(): string[] {
    const sent: string[] = [];
    while (this.#waiting.length > 0) {
      const message = this.#waiting[0]!;
      const prepared = this.dialogue.prepare({ message, bytes: EMPTY });
      for (let own = this.dialogue.transmit(); own !== undefined; own = this.dialogue.transmit()) {
        for (const { args } of feed([own]).commands) sent.push(`own ${args.join(' ')}`);
      }
      if (prepared === 'wait') break;
      this.#waiting.shift();
      if (typeof prepared === 'object') {
        sent.push('refuse' in prepared ? `refused ${message.toString()}: ${prepared.refuse}` : 'changed');
        continue;
      }
      this.dialogue.sent(message);
      sent.push(message.args.map((arg) => Buffer.from(arg).toString()).join(' '));
    }
    return sent;
  }
}

const login = new Credentials('default', 'target');

describe('a session', () => {
  it('without a password has nothing of its own', () => {
    const copy = new Copy();
    expect(copy.client('SET k v', 'GET k')).toEqual(['SET k v', 'GET k']);
    expect(copy.target('+OK', '$1\r\nv')).toEqual({ sent: [], shown: ['SET k v', 'GET k'] });
  });

  it('begins with a login where the client has none', () => {
    const copy = new Copy({ login, database: 3 });
    expect(copy.client('GET k', 'GET l')).toEqual(['own AUTH target', 'own SELECT 3']);
    expect(copy.target('+OK')).toEqual({ sent: [], shown: [] });
    expect(copy.target('+OK')).toEqual({ sent: ['GET k', 'GET l'], shown: [] });
    expect(copy.target('$-1', '$-1').shown).toEqual(['GET k', 'GET l']);
  });

  it.each(['AUTH target', 'HELLO 3 AUTH default target'])('leaves a login to a client that begins with %s', (first) => {
    const copy = new Copy({ login, database: 3 });
    expect(copy.client(first, 'GET k')).toEqual([first, 'own SELECT 3']);
    expect(copy.target('+OK', '+OK').sent).toEqual(['GET k']);
  });

  it('whose login is refused is the end of the copy', () => {
    const own = new Copy({ login });
    own.client('GET k');
    own.target('-WRONGPASS invalid username-password pair');
    expect(own.dialogue.fault).toBe('the login was refused');
    const clients = new Copy({ login });
    clients.client('AUTH target');
    clients.target('-WRONGPASS no');
    expect(clients.dialogue.fault).toBe('the login was refused');
  });

  it('with a server that needs no password goes on', () => {
    const copy = new Copy({ login });
    copy.client('GET k');
    expect(
      copy.target('-ERR AUTH <password> called without any password configured for the default user').sent,
    ).toEqual(['GET k']);
    expect(copy.dialogue.fault).toBeUndefined();
  });

  it('whose database is refused is the end: others would be written to', () => {
    const copy = new Copy({ database: 99 });
    copy.client('GET k');
    copy.target('-ERR DB index is out of range');
    expect(copy.dialogue.fault).toBe('the database was refused');
  });

  it('that a wrong password of the client ends with is its own affair where none is put in its place', () => {
    const copy = new Copy();
    copy.client('AUTH wrong');
    copy.target('-WRONGPASS no');
    expect(copy.dialogue.fault).toBeUndefined();
  });
});

describe('a fresh session', () => {
  it('is given what was built up before', () => {
    const copy = new Copy();
    copy.client(
      'HELLO 3 AUTH app secret SETNAME me',
      'SELECT 5',
      'SUBSCRIBE a b',
      'UNSUBSCRIBE a',
      'CLIENT TRACKING ON',
    );
    copy.target('%0', '+OK', '>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1', '>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2');
    copy.target('>3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1', '+OK');
    expect(copy.fresh('GET k')).toEqual([
      'own HELLO 3 AUTH app secret',
      'own SELECT 5',
      'own CLIENT SETNAME me',
      'own CLIENT TRACKING ON',
      'own SUBSCRIBE b',
    ]);
    expect(copy.target('%0', '+OK', '+OK', '+OK').sent).toEqual([]);
    expect(copy.target('>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1')).toEqual({ sent: ['GET k'], shown: [] });
  });

  it('is subscribed to shard channels again', () => {
    const copy = new Copy();
    const confirmed = (kind: string, name: string, count: number) =>
      `>3\r\n$${kind.length}\r\n${kind}\r\n$1\r\n${name}\r\n:${count}`;
    copy.client('HELLO 3', 'SUBSCRIBE c', 'SSUBSCRIBE a b', 'SUNSUBSCRIBE b');
    copy.target('%0', confirmed('subscribe', 'c', 1), confirmed('ssubscribe', 'a', 1), confirmed('ssubscribe', 'b', 2));
    copy.target(confirmed('sunsubscribe', 'b', 1));
    expect(copy.fresh('GET k')).toEqual(['own HELLO 3', 'own SUBSCRIBE c', 'own SSUBSCRIBE a']);
    expect(copy.target('%0', confirmed('subscribe', 'c', 1)).sent).toEqual([]);
    expect(copy.target(confirmed('ssubscribe', 'a', 1))).toEqual({ sent: ['GET k'], shown: [] });
  });

  it('is not given what the target has refused', () => {
    const copy = new Copy();
    copy.client('SELECT 99', 'AUTH wrong');
    copy.target('-ERR DB index is out of range', '-WRONGPASS no');
    expect(copy.fresh('GET k')).toEqual(['GET k']);
  });

  it('is silent again', () => {
    const copy = new Copy();
    copy.client('CLIENT REPLY OFF', 'SELECT 2', 'SET k v');
    expect(copy.fresh('SET k w')).toEqual(['own SELECT 2', 'own CLIENT REPLY OFF']);
    expect(copy.target('+OK').sent).toEqual(['SET k w']);
  });

  it('has what a transaction left behind, once it is done', () => {
    const copy = new Copy();
    copy.client('MULTI', 'SELECT 2', 'EXEC');
    copy.target('+OK', '+QUEUED', '*1\r\n+OK');
    expect(copy.fresh('GET k')).toEqual(['own SELECT 2']);
    const given = new Copy();
    given.client('MULTI', 'SELECT 2', 'DISCARD', 'MULTI', 'SELECT 3', 'EXEC');
    given.target('+OK', '+QUEUED', '+OK', '+OK', '+QUEUED', '*-1');
    expect(given.fresh('GET k')).toEqual(['GET k']);
  });

  it('has no part of a transaction', () => {
    const copy = new Copy();
    copy.client('MULTI', 'SET a 1');
    copy.target('+OK', '+QUEUED');
    expect(copy.fresh('SET b 2', 'EXEC', 'GET a')).toEqual([
      'refused SET b 2: its transaction ended with the session',
      'refused EXEC: its transaction ended with the session',
      'GET a',
    ]);
  });

  it('after EXEC has gone has none to lose', () => {
    const copy = new Copy();
    copy.client('MULTI', 'SET a 1', 'EXEC');
    expect(copy.fresh('SET b 2')).toEqual(['SET b 2']);
  });
});

it('after RESET the session is at its beginning', () => {
  const copy = new Copy({ login, zero: 4, database: 7 });
  copy.client('AUTH target');
  expect(copy.target('+OK').sent).toEqual([]);
  expect(copy.client('GET k')).toEqual(['own SELECT 7']);
  expect(copy.target('+OK').sent).toEqual(['GET k']);
  copy.target('$-1');
  expect(copy.client('RESET', 'GET k')).toEqual(['RESET']);
  expect(copy.target('+RESET')).toEqual({ sent: ['own AUTH target', 'own SELECT 4'], shown: ['RESET'] });
  expect(copy.target('+OK', '+OK').sent).toEqual(['GET k']);
});
