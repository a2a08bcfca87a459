import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTime, instant, seconds } from '../../../src/core/time.ts';
import { RecordingFiles, type RecordingFilesOptions } from '../../../src/inject/recording-files.ts';
import { read } from '../pcap/captures.ts';

let folder: string;
let now = instant(0);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-files-'));
  now = instant(Date.UTC(2024, 1, 29, 12, 0, 0) * 1000);
});

afterEach(() => rmSync(folder, { recursive: true }));

function files(name: string, options: Partial<RecordingFilesOptions> = {}): RecordingFiles {
  const path = name.startsWith('/') ? name : join(folder, name);
  const limits = { maxSize: undefined, maxAge: undefined, keep: undefined };
  return new RecordingFiles({
    path,
    ...limits,
    application: 'test',
    comment: '',
    clock: () => now,
    unix: (t) => t,
    ...options,
  });
}

/** A frame of `length` bytes that begin with `n`. */
function add(recording: RecordingFiles, n: number, length = 100): void {
  const frame = new Uint8Array(length);
  frame[0] = n;
  recording.add(recording.interfaceOf(1, 'eth0'), frame, 0, length, now, length, 0);
}

/** First bytes of the frames in each file, by name. */
function contents(): Record<string, number[]> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => {
      const bytes = readFileSync(join(folder, name));
      const { frames, problems } = read([name.endsWith('.gz') ? gunzipSync(bytes) : bytes]);
      expect(problems).toEqual([]);
      return [name, frames.map((frame) => frame.bytes[0]!)];
    }),
  );
}

it('one file of that name, for its owner only', () => {
  const recording = files('a.pcapng');
  recording.open();
  add(recording, 1);
  recording.close();
  expect(contents()).toEqual({ 'a.pcapng': [1] });
  expect(statSync(join(folder, 'a.pcapng')).mode & 0o777).toBe(0o600);
  expect(recording.stats()).toMatchObject({ packets: 1, failed: 0, removed: 0, files: [join(folder, 'a.pcapng')] });
});

it('times are written in Unix time', () => {
  const recording = files('a.pcapng', { unix: (time) => addTime(time, seconds(3_600)) });
  recording.open();
  add(recording, 1);
  recording.close();
  const { frames } = read([readFileSync(join(folder, 'a.pcapng'))]);
  expect(frames[0]!.time).toBe(addTime(now, seconds(3_600)));
});

it('what was recorded is in the file a second later', () => {
  const recording = files('a.pcapng');
  recording.open();
  add(recording, 1);
  recording.tick();
  expect(contents()).toEqual({ 'a.pcapng': [] });
  now = addTime(now, seconds(1));
  recording.tick();
  expect(contents()).toEqual({ 'a.pcapng': [1] });
  recording.close();
});

it('packed, the file is whole after every write', () => {
  const recording = files('a.pcapng.gz');
  recording.open();
  for (let n = 1; n <= 3; n++) {
    add(recording, n);
    recording.flush();
    expect(contents()['a.pcapng.gz']).toHaveLength(n);
  }
  recording.close();
  expect(contents()).toEqual({ 'a.pcapng.gz': [1, 2, 3] });
});

describe('another file', () => {
  it('when one has its size: with the packet that reaches it, none is over by more', () => {
    const recording = files('a.pcapng', { maxSize: 2_000 });
    recording.open();
    for (let n = 0; n < 40; n++) add(recording, n);
    recording.close();
    const found = contents();
    expect(Object.values(found).flat()).toEqual([...Array(40).keys()]);
    const sizes = Object.keys(found).map((name) => statSync(join(folder, name)).size);
    expect(sizes.length).toBeGreaterThan(2);
    for (const size of sizes) expect(size).toBeLessThan(2_000 + 144);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(2_000);
    expect(recording.stats().bytes).toBe(sizes.reduce((a, b) => a + b));
  });

  it('packed, by its size on disk', () => {
    const recording = files('a.gz', { maxSize: 3_000 });
    recording.open();
    for (let n = 0; n < 2_000; n++) add(recording, n & 255);
    recording.close();
    const found = contents();
    expect(Object.values(found).flat()).toEqual([...Array(2_000).keys()].map((n) => n & 255));
    expect(Object.keys(found).length).toBeGreaterThan(1);
    for (const name of Object.keys(found)) expect(statSync(join(folder, name)).size).toBeLessThan(6_000);
  });

  it('after a time, unless nothing came', () => {
    const recording = files('a.pcapng', { maxAge: seconds(60) });
    recording.open();
    add(recording, 1);
    for (let minute = 0; minute < 3; minute++) {
      now = addTime(now, seconds(60));
      recording.tick();
    }
    add(recording, 2);
    recording.close();
    expect(contents()).toEqual({ 'a_00001_20240229120000.pcapng': [1], 'a_00002_20240229120100.pcapng': [2] });
  });

  it('and the oldest goes', () => {
    const recording = files('a.b.pcapng.gz', { maxAge: seconds(1), keep: 2 });
    recording.open();
    for (let n = 1; n <= 5; n++) {
      add(recording, n);
      now = addTime(now, seconds(1));
      recording.tick();
    }
    recording.close();
    expect(contents()).toEqual({ 'a.b_00005_20240229120004.pcapng.gz': [5], 'a.b_00006_20240229120005.pcapng.gz': [] });
    expect(recording.stats()).toMatchObject({ packets: 5, removed: 4 });
  });
});

describe('a file that cannot be written', () => {
  it('is told at the start', () => {
    expect(() => files('no/where').open()).toThrow(/ENOENT/);
  });

  it.runIf(process.platform === 'linux')('costs what follows, counted', () => {
    const recording = files('/dev/full');
    expect(() => recording.open()).toThrow('the disk is full');
    add(recording, 1);
    add(recording, 2);
    recording.close();
    expect(recording.failure?.code).toBe('E_FILE');
    expect(recording.stats()).toMatchObject({ packets: 0, failed: 2, bytes: 0 });
  });
});
