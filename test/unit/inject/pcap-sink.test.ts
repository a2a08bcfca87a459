import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';
import { PcapSink } from '../../../src/inject/pcap-sink.ts';
import { createSink } from '../../../src/inject/open-sink.ts';
import { CaptureReader } from '../../../src/pcap/capture-reader.ts';
import { seqOf, watch, write } from './batches.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcpcopy-pcap-sink-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('PcapSink', () => {
  it('writes packets with the clock of the moment, as raw IP', async () => {
    const path = join(folder, 'out.pcap');
    let now = 1e15;
    const { sink } = createSink({ backend: 'auto', file: path, clock: () => instant(now) });
    const { events } = await watch(sink);
    const ROUNDS = 40;
    for (let round = 0; round < ROUNDS; round++, now += 0.5) {
      write(sink, 1_000, '10.0.0.1', round * 1_000);
      if (sink.flush()) continue;
      const before = events.length;
      expect(sink.flush()).toBe(false);
      while (events.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await sink.close();
    expect(sink.stats()).toEqual({ packets: 40_000, bytes: 1_600_000, failed: {} });

    const reader = new CaptureReader();
    reader.push(readFileSync(path));
    reader.end();
    const batch = new FrameBatch(1_000);
    for (let round = 0; round < ROUNDS; round++) {
      expect(reader.next(batch)).toBe(1_000);
      const last = batch.offset[999]!;
      expect(seqOf(batch.bytes.subarray(last, last + 40))).toBe(round * 1_000 + 999);
      expect([batch.time[0], batch.linkType[0], batch.captured[0]]).toEqual([1e15 + round / 2, 101, 40]);
    }
    expect(reader.next(batch)).toBe(0);
    expect(reader.problems).toEqual([]);
  });

  it('says what is wrong with a path', async () => {
    const sink = new PcapSink(join(folder, 'no', 'such', 'folder'), () => instant(0));
    await expect(watch(sink)).rejects.toMatchObject({ code: 'E_FILE', where: join(folder, 'no', 'such', 'folder') });
  });

  it('reports packets that a full disk does not take, and fails to close', async () => {
    const sink = new PcapSink('/dev/full', () => instant(0));
    const { failures } = await watch(sink);
    await vi.waitUntil(() => {
      write(sink, 2);
      return sink.flush() && failures.length > 0;
    });
    expect(failures.map((f) => f.code)).toEqual(['ENOSPC', 'ENOSPC']);
    await expect(sink.close()).rejects.toMatchObject({ code: 'E_FILE' });
  });
});
