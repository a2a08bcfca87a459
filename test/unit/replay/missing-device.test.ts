import { describe, expect, it } from 'vitest';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { missingDevice } from '../../../src/replay/copy-input.ts';
import { CONTEXT } from '../config/options-fixture.ts';

const given = (input: readonly string[], io = 'auto') =>
  missingDevice(
    parseCopyOptions({ map: ['80-192.0.2.10:8080'], intercept: ['192.0.2.20'], input, io }, CONTEXT).options,
  );

describe('missingDevice', () => {
  it('names the first device that this host has not', () => {
    expect(given(['lo,nosuch0', 'nosuch1'])).toMatchObject({ code: 'E_DEVICE', where: 'nosuch0' });
  });

  it('says nothing of those that are there, of all of them, and of those that only libpcap knows', () => {
    expect(given(['lo'])).toBeUndefined();
    expect(given([])).toBeUndefined();
    expect(given(['nflog'], 'pcap')).toBeUndefined();
  });
});
