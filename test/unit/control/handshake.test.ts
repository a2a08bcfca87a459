import { describe, expect, it } from 'vitest';
import { ClientHandshake, type ClientStep } from '../../../src/control/client-handshake.ts';
import { Decoder } from '../../../src/control/decoder.ts';
import { encode } from '../../../src/control/encoder.ts';
import type { Message } from '../../../src/control/messages.ts';
import { CHALLENGE, HELLO, PING, PROOF, PROTOCOL_MAX, REFUSED, WELCOME } from '../../../src/control/protocol.ts';
import { ServerHandshake, type ServerStep } from '../../../src/control/server-handshake.ts';
import { bytes, hmac, SAMPLES } from './samples.ts';

function client(key?: string): ClientHandshake {
  const identity = {
    instanceId: bytes(8, 1),
    connectionIndex: 0,
    connections: 2,
    key,
    software: 'c',
    nonce: bytes(32, 1),
  };
  return new ClientHandshake(identity, hmac);
}

function server(key?: string): ServerHandshake {
  return new ServerHandshake(
    { interceptId: bytes(8, 9), key, software: 's', leaseSilence: 30_000 },
    hmac,
    bytes(32, 2),
  );
}

function decode(raw: Uint8Array): Message {
  const decoder = new Decoder();
  decoder.push(raw);
  return decoder.next()!;
}

/** Lets both sides talk until neither has anything to say; `tamper` may change what the server says. */
function converse(c: ClientHandshake, s: ServerHandshake, tamper = (m: Message): Message => m) {
  let toServer: Uint8Array | undefined = c.hello();
  let server: ServerStep | undefined;
  let client: ClientStep | undefined;
  while (toServer !== undefined) {
    server = s.handle(decode(toServer));
    client = c.handle(tamper(decode(server.bytes)));
    toServer = client.kind === 'send' ? client.bytes : undefined;
  }
  return { server: server!, client: client! };
}

function failure(step: ClientStep): { code: string; message: string } {
  if (step.kind !== 'failed') throw new Error(`${step.kind} instead of a failure`);
  return { code: step.error.code, message: step.error.message };
}

describe('handshake', () => {
  it('welcomes without a key', () => {
    const { client: c, server: s } = converse(client(), server());
    expect(s).toMatchObject({ kind: 'welcomed', hello: { connections: 2, instanceId: bytes(8, 1) } });
    expect(c).toMatchObject({ kind: 'welcomed', welcome: { version: PROTOCOL_MAX, interceptId: bytes(8, 9) } });
  });

  it('welcomes with the same key on both sides', () => {
    const { client: c, server: s } = converse(client('secret'), server('secret'));
    expect(s.kind).toBe('welcomed');
    expect(c.kind).toBe('welcomed');
  });

  it.each([
    ['other keys', 'alpha-key', 'beta-key', /another key/],
    ['a key only here', 'alpha-key', undefined, /this tcpcopy has a key, the intercept has none/],
    ['a key only there', undefined, 'beta-key', /the intercept has a key, this tcpcopy has none/],
  ])('refuses %s on both sides, saying so', (_, mine, theirs, message) => {
    const { client: c, server: s } = converse(client(mine), server(theirs));
    expect(s).toMatchObject({ kind: 'refused', error: { code: 'E_CONTROL_AUTH' } });
    expect(failure(c).code).toBe('E_CONTROL_AUTH');
    expect(failure(c).message).toMatch(message);
    expect(JSON.stringify(failure(c))).not.toMatch(/alpha|beta/);
  });

  it('does not trust an intercept that leaves the key out or does not know it', () => {
    const welcome = SAMPLES.find((m) => m.type === WELCOME)!;
    expect(failure(client('secret').handle(welcome)).code).toBe('E_CONTROL_AUTH');
    const { client: c } = converse(client('secret'), server('secret'), (m) =>
      m.type === WELCOME ? { ...m, proof: m.proof.with(0, m.proof[0]! ^ 1) } : m,
    );
    expect(failure(c)).toEqual({ code: 'E_CONTROL_AUTH', message: 'the intercept has another key' });
  });

  it('does not accept a recorded proof again', () => {
    const first = client('secret');
    const one = server('secret').handle(decode(first.hello()));
    const proof = first.handle(decode(one.bytes));
    if (proof.kind !== 'send') throw new Error(proof.kind);
    const later = new ServerHandshake(
      { interceptId: bytes(8, 9), key: 'secret', software: 's', leaseSilence: 1 }, hmac, bytes(32, 200),
    ); // prettier-ignore
    later.handle(decode(first.hello()));
    expect(later.handle(decode(proof.bytes))).toMatchObject({ kind: 'refused', error: { code: 'E_CONTROL_AUTH' } });
  });

  it('names both versions when they do not meet', () => {
    const hello = decode(client().hello());
    if (hello.type !== HELLO) throw new Error('no HELLO');
    const step = server().handle({ ...hello, versionMin: 7, versionMax: 9 });
    expect(step).toMatchObject({ kind: 'refused', error: { code: 'E_CONTROL_VERSION' } });
    if (step.kind === 'refused') expect(step.error.message).toMatch(/7 to 9.*1 to 2/);
    const refused = decode(step.bytes);
    if (refused.type !== REFUSED) throw new Error('no REFUSED');
    const { code, message } = failure(client().handle({ ...refused, versionMin: 7, versionMax: 9 }));
    expect(code).toBe('E_CONTROL_VERSION');
    expect(message).toBe('this tcpcopy speaks control-channel versions 1 to 2, the intercept versions 7 to 9');
    const challenge = { type: CHALLENGE, version: 3, nonce: bytes(32) } as const;
    expect(failure(client('k').handle(challenge)).code).toBe('E_CONTROL_VERSION');
  });

  it('agrees on the newest common version', () => {
    const hello = decode(client().hello());
    if (hello.type !== HELLO) throw new Error('no HELLO');
    const step = server().handle({ ...hello, versionMin: 0, versionMax: 40 });
    expect(decode(step.bytes)).toMatchObject({ type: WELCOME, version: PROTOCOL_MAX });
  });

  it('refuses messages that are out of place, on both sides', () => {
    for (const message of SAMPLES.filter((m) => m.type !== HELLO)) {
      expect(server('secret').handle(message)).toMatchObject({
        kind: 'refused',
        error: { code: 'E_CONTROL_PROTOCOL' },
      });
    }
    const twice = server('secret');
    twice.handle(decode(client('secret').hello()));
    expect(twice.handle(decode(client('secret').hello())).kind).toBe('refused');
    for (const message of SAMPLES.filter((m) => m.type !== CHALLENGE && m.type !== WELCOME && m.type !== REFUSED)) {
      expect(failure(client().handle(message)).code).toBe('E_CONTROL_PROTOCOL');
    }
    expect(decode(encode({ type: PROOF, proof: bytes(32) })).type).toBe(PROOF);
    expect(failure(client().handle({ type: PING, token: 1 })).message).toMatch(/PING/);
  });
});
