import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordingStream } from '../../../src/capture/recording-stream.ts';

const BYTES = Buffer.from(Uint32Array.from({ length: 1 << 20 }, (_, i) => i).buffer);
const PIECE = 100_000;
let folder: string;
const file = (name: string, bytes: Uint8Array = BYTES) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcpcopy-recording-stream-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads all: at once what can be, the rest as it comes. Returns the bytes, and how many reads were of which kind. */
async function readAll(stream: RecordingStream): Promise<{ bytes: Buffer; atOnce: number; asked: number }> {
  await stream.open();
  const chunks: Buffer[] = [Buffer.from((await stream.next())!)];
  let atOnce = 0;
  let asked = 0;
  const into = Buffer.alloc(PIECE);
  while (stream.atOnce) {
    chunks.push(Buffer.from(into.subarray(0, stream.readNow(into))));
    atOnce++;
  }
  for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
    chunks.push(Buffer.from(chunk));
    asked++;
  }
  stream.close();
  return { bytes: Buffer.concat(chunks), atOnce, asked };
}

/** A clock that goes on by so many ms each time it is read. */
function clock(step: number): () => number {
  let time = 0;
  return () => (time += step);
}

describe('RecordingStream', () => {
  it('reads a plain file at once to its end', async () => {
    const { bytes, atOnce, asked } = await readAll(new RecordingStream(file('plain'), clock(0)));
    expect(bytes.equals(BYTES)).toBe(true);
    expect(atOnce).toBeGreaterThan(BYTES.length / PIECE);
    expect(asked).toBe(0);
  });

  it('leaves a file to another thread from where it has to be waited for', async () => {
    const { bytes, atOnce, asked } = await readAll(new RecordingStream(file('slow'), clock(40)));
    expect(bytes.equals(BYTES)).toBe(true);
    expect(atOnce).toBeLessThan(8);
    expect(asked).toBeGreaterThan(2);
  });

  it('takes no notice of a read that took long by chance', async () => {
    let reads = 0;
    let time = 0;
    const now = () => (time += ++reads === 20 ? 100 : 0.01);
    expect((await readAll(new RecordingStream(file('once'), now))).asked).toBe(0);
  });

  it('reads nothing at once when it reads ahead, and of what is packed', async () => {
    const ahead = new RecordingStream(file('ahead'), clock(0));
    await ahead.open();
    await ahead.next();
    await ahead.next();
    expect(ahead.atOnce).toBe(false);
    expect(ahead.readNow(Buffer.alloc(PIECE))).toBe(0);
    ahead.close();
    const packed = await readAll(new RecordingStream(file('packed', gzipSync(BYTES)), clock(0)));
    expect(packed.bytes.equals(BYTES)).toBe(true);
    expect(packed.atOnce).toBe(0);
  });

  it('ends where a file was cut off meanwhile', async () => {
    const path = file('cut');
    const stream = new RecordingStream(path, clock(0));
    await stream.open();
    const head = (await stream.next())!.length;
    truncateSync(path, head + 10);
    const into = Buffer.alloc(PIECE);
    expect(stream.readNow(into)).toBe(10);
    expect(stream.readNow(into)).toBe(0);
    expect(stream.atOnce).toBe(false);
    expect(await stream.next()).toBeUndefined();
    stream.close();
  });
});
