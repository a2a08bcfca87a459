import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource, type FileSourceOptions } from '../../../src/capture/file-source.ts';
import { instant } from '../../../src/core/time.ts';
import { loadNative } from '../../../src/native/load.ts';
import { CaptureWriter } from '../../../src/pcap/capture-writer.ts';
import { ipPacket } from './packets.ts';

const FRAMES = 5_000;
let folder: string;
let recording: Buffer;
const file = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcpcopy-file-source-'));
  const writer = new CaptureWriter(101);
  for (let i = 0; i < FRAMES; i++) {
    const packet = ipPacket({ to: '10.0.0.1', toPort: 80 + (i & 1), seq: i, payload: new Uint8Array(300) });
    writer.add(packet, 0, packet.length, instant(1e15 + i));
  }
  recording = Buffer.from(writer.take());
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Reading {
  readonly seqs: number[];
  readonly batches: number;
  readonly error: Error | undefined;
  readonly source: FileSource;
}

/** Reads a file to its end, checking each frame's bytes while they are valid. */
async function read(path: string, options: FileSourceOptions = {}): Promise<Reading> {
  const source = new FileSource(path, options);
  const seqs: number[] = [];
  let batches = 0;
  const error = await new Promise<Error | undefined>((resolve, reject) => {
    const ready = () => {
      for (let b = source.poll(); b !== undefined; b = source.poll()) {
        batches++;
        for (let i = 0; i < b.count; i++) seqs.push(b.view.getUint32(b.offset[i]! + 24));
      }
    };
    source.open({ ready, ended: resolve }).catch(reject);
  });
  return { seqs, batches, error, source };
}

const everything = Array.from({ length: FRAMES }, (_, i) => i);

describe('FileSource', () => {
  it('reads a recording, batch by batch, to its end', async () => {
    const { seqs, batches, error, source } = await read(file('plain.pcap', recording));
    expect(error).toBeUndefined();
    expect(seqs).toEqual(everything);
    expect(batches).toBeGreaterThan(4);
    expect(source.stats()).toEqual({ frames: FRAMES, kernelDropped: 0, unreadable: [] });
  });

  it('lets others have their turn while it reads what is in memory', async () => {
    const path = file('long.pcap', Buffer.concat([recording, ...Array<Buffer>(4).fill(recording.subarray(24))]));
    const source = new FileSource(path);
    const turns: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const ready = () => {
        let frames = 0;
        for (let b = source.poll(); b !== undefined; b = source.poll()) frames += b.count;
        turns.push(frames);
      };
      source.open({ ready, ended: () => resolve() }).catch(reject);
    });
    expect(turns.reduce((a, b) => a + b)).toBe(5 * FRAMES);
    expect(Math.max(...turns)).toBeLessThan(4 * FRAMES);
  });

  it('reads gzip whatever its name', async () => {
    const { seqs, source } = await read(file('packed.pcap', gzipSync(recording)));
    expect(seqs).toEqual(everything);
    expect(source.stats().unreadable).toEqual([]);
  });

  it('reads what is sound of a truncated recording, and says how much was not', async () => {
    const cut = await read(file('cut.pcap', recording.subarray(0, recording.length - 10)));
    expect(cut.error).toBeUndefined();
    expect(cut.seqs).toEqual(everything.slice(0, -1));
    expect(cut.source.stats().unreadable).toEqual([{ bytes: 356 - 10, reason: expect.any(String) as string }]);
  });

  it('reads what is sound of truncated and damaged gzip', async () => {
    const packed = gzipSync(recording, { level: 1 });
    const cut = await read(file('cut.gz', packed.subarray(0, packed.length - 2_000)));
    expect(cut.error).toBeUndefined();
    expect(cut.seqs.length).toBeGreaterThan(1_000);
    expect(cut.seqs).toEqual(everything.slice(0, cut.seqs.length));
    packed.fill(0xff, packed.length - 3_000, packed.length - 2_900);
    const damaged = await read(file('damaged.gz', packed));
    expect(damaged.error).toBeUndefined();
    expect(
      damaged.source
        .stats()
        .unreadable.map((u) => u.reason)
        .join(),
    ).toContain('gzip');
  });

  it('reads all of gzip whose checksum is wrong', async () => {
    const packed = gzipSync(recording);
    packed.fill(0, packed.length - 8);
    const { seqs, source } = await read(file('crc.gz', packed));
    expect(seqs).toEqual(everything);
    expect(source.stats().unreadable[0]?.reason).toContain('gzip');
  });

  it('loses little of gzip that is damaged or followed by something else, however short it is', async () => {
    const short = gzipSync(recording.subarray(0, 24 + 200 * 356), { level: 0 });
    const { seqs } = await read(file('garbage.gz', Buffer.concat([short, Buffer.from('and more')])));
    expect(seqs.length).toBeGreaterThan(180);
    expect(seqs).toEqual(everything.slice(0, seqs.length));
  });

  it('says of gzip without any sound byte what is wrong with it', async () => {
    const header = gzipSync(recording).subarray(0, 10);
    await expect(read(file('rubble.gz', Buffer.concat([header, Buffer.alloc(99, 0xff)])))).rejects.toThrow('gzip');
    await expect(read(file('header.gz', header))).rejects.toThrow('gzip');
  });

  it('holds back while nobody polls', async () => {
    const source = new FileSource(file('held.pcap', recording));
    let ready = 0;
    await source.open({ ready: () => ready++, ended: () => undefined });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(ready).toBe(1);
    expect(source.poll()!.count).toBeGreaterThan(0);
    source.close();
    expect(source.poll()).toBeUndefined();
  });

  it('ends early when it is stopped', async () => {
    const source = new FileSource(file('stopped.pcap', recording));
    let frames = 0;
    await new Promise<void>((resolve, reject) => {
      const ready = () => {
        frames += source.poll()?.count ?? 0;
        source.stop();
      };
      source.open({ ready, ended: () => resolve() }).catch(reject);
    });
    expect(frames).toBeGreaterThan(0);
    expect(frames).toBeLessThan(FRAMES);
  });

  it.each([
    ['missing', '/no/such/file.pcap', 'E_FILE', /no such file/],
    ['a directory', tmpdir(), 'E_FILE', /directory/],
  ])('refuses %s', async (_, path, code, message) => {
    await expect(read(path)).rejects.toMatchObject({
      code,
      where: path,
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses what is no recording, and an empty file', async () => {
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n'.repeat(10)),
      Buffer.alloc(0),
      gzipSync(Buffer.from('x'.repeat(99))),
    ]) {
      const path = file('foreign', bytes);
      await expect(read(path)).rejects.toMatchObject({ code: 'E_CAPTURE_FORMAT', where: path });
    }
  });

  it.skipIf(loadNative().addon === undefined)('applies an expression to the recorded frames', async () => {
    const path = file('filtered.pcap', recording);
    const { seqs, source } = await read(path, { expression: 'tcp dst port 81' });
    expect(seqs).toEqual(everything.filter((seq) => seq & 1));
    expect(source.stats().frames).toBe(FRAMES / 2);
    await expect(read(path, { expression: 'tcp prt 81' })).rejects.toMatchObject({ code: 'E_FILTER' });
  });

  it('reads every capture of the shared link-layer set', async () => {
    const shared = new URL('../../../../shared/captures/link/', import.meta.url);
    for (const name of readdirSync(shared)) {
      const { error, source } = await read(new URL(name, shared).pathname);
      expect(error, name).toBeUndefined();
      expect(source.stats().frames, name).toBeGreaterThan(0);
    }
  });
});
