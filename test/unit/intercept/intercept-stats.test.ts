import { expect, it } from 'vitest';
import { describeStats, type InterceptStats } from '../../../src/intercept/intercept-stats.ts';

const NOTHING: InterceptStats = {
  frames: 0,
  kernelDropped: 0,
  notSegments: {},
  segments: 0,
  forwarded: 0,
  dropped: 0,
  unrouted: 0,
  damaged: 0,
  copies: 0,
  absent: 0,
  instances: 0,
  connections: 0,
  refused: {},
  freeBlocks: 63,
};

it('says what there was none of as shortly as it can', () => {
  expect(describeStats(NOTHING)).toEqual([
    '0 frames captured, 0 dropped by the kernel',
    '0 segments',
    'no tcpcopy is connected, 63 port blocks free',
  ]);
});

it('names everything that there was', () => {
  const stats: InterceptStats = {
    ...NOTHING,
    frames: 72_055,
    kernelDropped: 1_200,
    notSegments: { 'not-tcp': 4 },
    segments: 72_051,
    forwarded: 72_000,
    dropped: 30,
    absent: 10,
    copies: 5,
    damaged: 3,
    unrouted: 3,
    instances: 1,
    connections: 2,
    refused: { key: 1_000 },
    freeBlocks: 1,
  };
  expect(describeStats(stats)).toEqual([
    '72,055 frames captured, 1,200 dropped by the kernel',
    '72,051 segments: 72,000 forwarded, 30 dropped: their tcpcopy read too slowly, 10 for a tcpcopy that is not connected, ' +
      '5 seen before on another device, 3 damaged, 3 not asked for',
    '1 tcpcopy instance over 2 connections, 1 port block free',
    'frames that were no segments: 4 not-tcp',
    'control connections refused: 1,000 key',
  ]);
});
