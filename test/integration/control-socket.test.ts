/** Reading a control connection without the event loop. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { DirectReader } from '../../src/replay/control-socket.ts';

describe.skipIf(loadNative().addon === undefined)('DirectReader', () => {
  const server = createServer();
  let near: Socket;
  let far: Socket;

  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    near = connect((server.address() as { port: number }).port, '127.0.0.1');
    [far] = (await once(server, 'connection')) as [Socket];
    if (near.connecting) await once(near, 'connect');
  });
  afterEach(async () => {
    near.destroy();
    far.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('takes what has arrived, and leaves what follows, and the end, to the event loop', async () => {
    const chunks: Buffer[] = [];
    near.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => setImmediate(resolve));
    const into = new Uint8Array(8);
    const reader = new DirectReader(near);
    reader.findAnew();
    expect(reader.read(into, 0)).toBe(0);
    // Written within the call.
    far.write('0123456789');
    expect(reader.read(into, 2)).toBe(6);
    expect(Buffer.from(into).toString()).toBe('\0\0' + '012345');
    far.end('ab');
    await once(near, 'end');
    expect(Buffer.concat(chunks).toString()).toBe('6789ab');
    reader.findAnew();
    expect(reader.read(into, 0)).toBe(0);
    expect(reader.read(into, into.length), 'no room').toBe(0);
  });

  it('has nothing to read of a socket that is closed', async () => {
    const reader = new DirectReader(near);
    reader.findAnew();
    expect(reader.read(new Uint8Array(8), 0)).toBe(0);
    near.destroy();
    await once(near, 'close');
    reader.findAnew();
    expect(reader.read(new Uint8Array(8), 0)).toBeUndefined();
  });
});
