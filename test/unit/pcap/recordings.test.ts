/** Real recordings, read from end to end: the frames the manifest counts, and in them the segments that it counts. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TcpcopyError } from '../../../src/core/errors.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { CaptureReader } from '../../../src/pcap/capture-reader.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment } from '../../../src/wire/segment.ts';

const CAPTURES = new URL('../../../../shared/captures/', import.meta.url);
const CHUNK = 10_000;

interface Manifest {
  files: { file: string; capinfos_packets: string; readable: boolean; streams: { packets: number }[] }[];
}

interface BulkManifest {
  files: { file: string; packets: number; tshark_rc: number }[];
}

function manifest<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, CAPTURES), 'utf8')) as T;
}

interface Contents {
  frames: number;
  segments: string[];
  unreadable: number;
}

function contents(file: Uint8Array): Contents {
  const reader = new CaptureReader();
  const parser = new FrameParser({ verifyChecksums: true });
  const batch = new FrameBatch(100);
  const s = new Segment();
  const segments: string[] = [];
  const drain = () => {
    while (reader.next(batch) > 0) {
      for (let i = 0; i < batch.count; i++) {
        if (parser.parse(batch, i, s) !== 0) continue;
        const end = s.payloadOffset + s.payloadLength;
        if (end > s.bytes.length) throw new RangeError('a payload beyond its memory');
        segments.push(`${s.toString()} ${Buffer.from(s.bytes.subarray(s.payloadOffset, end)).toString('latin1')}`);
      }
    }
  };
  for (let at = 0; at < file.length; at += CHUNK) {
    reader.push(file.subarray(at, at + CHUNK));
    drain();
  }
  reader.end();
  drain();
  return { frames: reader.frames, segments, unreadable: reader.problems.reduce((n, { bytes }) => n + bytes, 0) };
}

function capture(path: string): Contents {
  return contents(readFileSync(new URL(path, CAPTURES)));
}

/** The files of a tar archive (POSIX ustar; the names fit in its header). */
function* untar(archive: Uint8Array): Generator<[string, Uint8Array]> {
  const string = (at: number, length: number) =>
    Buffer.from(archive.subarray(at, at + length))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  let longName = '';
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = parseInt(string(at + 124, 12), 8);
    const type = string(at + 156, 1);
    const prefix = string(at + 257, 5) === 'ustar' ? string(at + 345, 155) : '';
    const name = longName || (prefix === '' ? '' : `${prefix}/`) + string(at, 100);
    longName = type === 'L' ? string(at + 512, size) : '';
    if (type === '0' || type === '') yield [name, archive.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

describe.skipIf(!existsSync(CAPTURES))('recordings', () => {
  const { files } = existsSync(CAPTURES) ? manifest<Manifest>('manifest.json') : { files: [] };

  it.each(files.map((f) => [f.file, f] as const))('%s', (path, { capinfos_packets, readable, streams }) => {
    const { frames, segments, unreadable } = capture(path);
    expect(frames).toBe(Number(capinfos_packets));
    expect(unreadable > 0).toBe(!readable);
    const counted = streams.reduce((n, { packets }) => n + packets, 0);
    expect(segments.length).toBe(counted);
  });

  const SAME = [
    ...['fmt_pcap_be', 'fmt_pcap_kuznetzov', 'fmt_pcap_ns_be', 'fmt_pcap_ns_le', 'link_eth_trailer', 'link_ipopts'],
    ...['link_loop', 'link_null_be', 'link_null_le', 'link_pppoe', 'link_qinq', 'link_raw', 'link_sll', 'link_sll2'],
    ...['link_vlan', 'link_vlan_priority0'],
  ].map((name) => `${name}.pcap`);
  const SAME_NG = ['fmt_pcapng_be_ns', 'fmt_pcapng_le', 'fmt_pcapng_multi_if_junk', 'linktypes_mixed'];

  it.each([...SAME, ...SAME_NG.map((name) => `${name}.pcapng`)])('one conversation in another wrapping: %s', (name) => {
    expect(capture(`own-derived/${name}`).segments).toEqual(capture('own/small.server.pcap').segments);
  });

  it.each(['ipfrag_small.pcap', 'ipfrag_reordered_small.pcap'])('one conversation in fragments: %s', (name) => {
    const payload = (segments: string[]) => segments.map((s) => s.replace(/ (seq|ack) \d+/g, '')).sort();
    expect(payload(capture(`own-derived/${name}`).segments)).toEqual(
      payload(capture('own/small.server.pcap').segments),
    );
  });

  it('odd files of other projects are read to their end, or refused', () => {
    const facts = new Map(manifest<BulkManifest>('bulk/manifest.json').files.map((f) => [f.file, f]));
    let read = 0;
    for (const [name, bytes] of untar(gunzipSync(readFileSync(new URL('bulk/bulk.tar.gz', CAPTURES))))) {
      const fact = facts.get(name.replace(/^(\.\/)?bulk\//, ''));
      if (fact === undefined) continue;
      read++;
      try {
        const { frames } = contents(bytes);
        // Where the other reader saw fewer, it does not know the link type; where it saw more, it counts other blocks.
        if (fact.tshark_rc === 0 && name.endsWith('.pcap')) expect.soft(frames, name).toBe(fact.packets);
      } catch (error) {
        if (!(error instanceof TcpcopyError)) throw error;
      }
    }
    expect(read).toBe(facts.size);
  });

  it('damaged at random they are still read, and never more than they hold', () => {
    let seed = 1;
    const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
    for (const { file } of files.filter((f) => f.file.startsWith('link/') || f.file.startsWith('tcp/'))) {
      const original = readFileSync(new URL(file, CAPTURES));
      for (const rate of [0.001, 0.01, 0.05]) {
        const damaged = Uint8Array.from(original);
        for (let at = 24; at < damaged.length; at++) if (random() < rate) damaged[at] = random() * 256;
        const { frames, unreadable } = contents(damaged);
        expect(unreadable + 12 * frames).toBeLessThanOrEqual(damaged.length);
      }
    }
  });
});
