import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/core/ip-address.ts';
import { instant } from '../../../src/core/time.ts';
import type { ConnectionInfo } from '../../../src/pipeline/hooks.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import type { Piece } from '../../../src/protocol/codec.ts';

const INFO: ConnectionInfo = {
  client: { address: parseIp('192.0.2.1')!, port: 40_000 },
  server: { address: parseIp('192.0.2.2')!, port: 80 },
  openedBy: 'syn',
};
const PIECE: Piece = {
  bytes: new Uint8Array(3),
  offset: 0,
  length: 3,
  time: instant(1),
  first: true,
  last: false,
  answers: 0,
};

describe('an empty pipeline', () => {
  it('lets everything pass', () => {
    const pipeline = new Pipeline();
    expect(pipeline.connection(INFO)).toBeUndefined();
    expect(pipeline.request(INFO, 'opaque', PIECE)).toBeUndefined();
    pipeline.sessionEnded(INFO);
    pipeline.shutdown();
  });
});

describe('hooks', () => {
  it('are asked in order until one has a verdict', () => {
    const pipeline = new Pipeline();
    const asked: string[] = [];
    pipeline.hooks.connection.tap('passes', () => void asked.push('passes'));
    pipeline.hooks.connection.tap('drops', ({ client }) => {
      asked.push('drops');
      return client.port === 40_000 ? { drop: 'not this one' } : undefined;
    });
    pipeline.hooks.connection.tap('late', () => void asked.push('late'));
    expect(pipeline.connection(INFO)).toEqual({ drop: 'not this one' });
    expect(asked).toEqual(['passes', 'drops']);
  });

  it('are given the message with its connection and protocol', () => {
    const pipeline = new Pipeline();
    pipeline.hooks.request.tap('drops', ({ connection, protocol, piece }) =>
      connection === INFO && piece === PIECE ? { drop: protocol } : undefined,
    );
    expect(pipeline.request(INFO, 'opaque', PIECE)).toEqual({ drop: 'opaque' });
  });

  it('all hear of an end', () => {
    const pipeline = new Pipeline();
    const heard: string[] = [];
    for (const name of ['one', 'two']) {
      pipeline.hooks.session.tap(name, (info) => void heard.push(`${name} ${info.client.port}`));
      pipeline.hooks.shutdown.tap(name, () => void heard.push(name));
    }
    pipeline.sessionEnded(INFO);
    pipeline.shutdown();
    expect(heard).toEqual(['one 40000', 'two 40000', 'one', 'two']);
  });
});
