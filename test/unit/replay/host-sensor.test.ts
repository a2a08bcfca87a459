import { describe, expect, it } from 'vitest';
import { busyAndAll } from '../../../src/replay/host-sensor.ts';

describe('/proc/stat', () => {
  it('gives the ticks of all processors together, and those of them that were busy', () => {
    const stat = 'cpu  100 20 30 4000 50 6 7 8 900 90\ncpu0 1 2 3 4 5 6 7 8 9 10\n';
    // All but idle and iowait; guests are in the user time already.
    expect(busyAndAll(stat)).toEqual({ busy: 100 + 20 + 30 + 6 + 7 + 8, all: 4221 });
  });

  it('of old kernels has fewer columns', () => {
    expect(busyAndAll('cpu 5 0 5 90\n')).toEqual({ busy: 10, all: 100 });
  });
});
