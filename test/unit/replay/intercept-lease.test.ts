import { describe, expect, it } from 'vitest';
import { LEASE_GRANT, type BLOCKS } from '../../../src/control/protocol.ts';
import { InterceptLease } from '../../../src/replay/intercept-lease.ts';

const grant = (blocks: number[]) => ({ type: LEASE_GRANT, wanted: blocks.length, free: 0, blocks }) as const;

describe('InterceptLease', () => {
  it('tells what is new and what is lost, neighbours together', () => {
    const lease = new InterceptLease(4);
    lease.messageSent();
    expect(lease.granted(grant([9, 2, 3]))).toEqual({
      leased: [
        { firstPort: 2048, count: 2048 },
        { firstPort: 9216, count: 1024 },
      ],
      lost: [],
    });
    lease.messageSent();
    expect(lease.granted(grant([3, 4]))).toEqual({
      leased: [{ firstPort: 4096, count: 1024 }],
      lost: [
        { firstPort: 2048, count: 1024 },
        { firstPort: 9216, count: 1024 },
      ],
    });
    expect(lease.held).toEqual([3, 4]);
  });

  it('believes only the answer to its last message', () => {
    const lease = new InterceptLease(1);
    lease.messageSent();
    lease.messageSent();
    expect(lease.granted(grant([]))).toBeUndefined();
    expect(lease.held).toEqual([]);
    expect(lease.granted(grant([5]))?.leased).toEqual([{ firstPort: 5120, count: 1024 }]);
  });

  it('forgets questions that died with their connection', () => {
    const lease = new InterceptLease(1);
    lease.messageSent();
    lease.connectionLost();
    lease.messageSent();
    expect(lease.granted(grant([5]))).toBeDefined();
  });

  it('merges requests in flight, and does not insist on what was refused', () => {
    const lease = new InterceptLease(2);
    lease.messageSent();
    lease.granted(grant([5, 6]));
    lease.wantMore(2);
    expect(lease.wanted).toBe(4);
    lease.messageSent();
    lease.wantMore(1);
    expect(lease.wanted).toBe(4);
    lease.wantMore(100);
    const all: typeof BLOCKS = 64;
    expect(lease.wanted).toBe(all);
    lease.granted(grant([5, 6, 7]));
    lease.wantMore(1);
    expect(lease.wanted).toBe(4);
  });
});
