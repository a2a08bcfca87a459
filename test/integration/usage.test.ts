/** What the addon says of this process's CPU time and memory. */
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';

const { addon } = loadNative();

describe.skipIf(addon === undefined)('usage', () => {
  it('is what node says: CPU time of all threads in microseconds, resident memory in bytes', () => {
    const usage = new Float64Array(2);
    const cpu = (): number => {
      const { user, system } = process.cpuUsage();
      return user + system;
    };
    const before = cpu();
    addon!.usage(usage);
    expect(usage[0]).toBeGreaterThanOrEqual(before);
    expect(usage[0]).toBeLessThanOrEqual(cpu());
    // The kernel counts pages for each processor, and adds that up now and then.
    const rss = process.memoryUsage.rss();
    expect(usage[1]).toBeGreaterThan(rss / 2);
    expect(usage[1]).toBeLessThan(rss * 2);
  });

  it('wants room for both', () => {
    expect(() => addon!.usage(new Float64Array(1))).toThrow(TypeError);
    expect(() => addon!.usage(new Uint8Array(16) as unknown as Float64Array)).toThrow(TypeError);
  });
});
