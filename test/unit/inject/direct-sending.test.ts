import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseIp } from '../../../src/core/ip-address.ts';
import { DirectSending } from '../../../src/inject/direct-sending.ts';
import type { NativeAddon, NativeSender } from '../../../src/native/addon.ts';

const A = parseIp('192.0.2.7')!;
const B = parseIp('2001:db8::7')!;

/** A host without a firewall, whose next hop a test can change; it counts what it is asked. */
class FakeHost {
  watchable = true;
  refuses: string | undefined;
  asked = 0;
  armed = 0;
  closed = false;
  changed: () => void = () => undefined;
  /** By destination: the device it is sent on; 0: through the raw socket. */
  readonly hops = new Map<string, number>();

  addon(): NativeAddon {
    const open = (changed: () => void) => {
      if (!this.watchable) throw new Error('EPERM');
      this.changed = changed;
      return { arm: () => this.armed++, close: () => (this.closed = true) };
    };
    class KernelWatch {
      constructor(_groups: number, changed: () => void) {
        Object.assign(this, open(changed));
      }
    }
    const askKernel = (protocol: number, request: Uint8Array, answer: Uint8Array) =>
      this.#ask(protocol, request, answer);
    return { KernelWatch, askKernel } as unknown as NativeAddon;
  }

  sender(): NativeSender {
    const setNextHop = (destination: Uint8Array, device: number): boolean => {
      this.hops.set(destination.join('.'), device);
      return true;
    };
    return { setNextHop } as unknown as NativeSender;
  }

  #ask(_protocol: number, _request: Uint8Array, _answer: Uint8Array): number {
    this.asked++;
    throw Object.assign(new Error('no'), { code: this.refuses ?? 'EPROTONOSUPPORT' });
  }
}

describe('DirectSending', () => {
  let host: FakeHost;
  let said: string[];
  beforeEach(() => {
    vi.useFakeTimers();
    host = new FakeHost();
    said = [];
  });
  afterEach(() => vi.useRealTimers());

  const start = () =>
    new DirectSending(host.addon(), host.sender(), {
      destinations: [A, B],
      routing: { mark: 0, device: 0 },
      told: (line) => said.push(line),
    });

  it('leaves everything to the raw socket where changes cannot be watched', () => {
    host.watchable = false;
    start();
    expect(said).toEqual([
      'packets to 192.0.2.7 are sent through a raw socket: changes go unnoticed',
      'packets to 2001:db8::7 are sent through a raw socket: changes go unnoticed',
    ]);
    expect([host.asked, host.hops.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });

  it('says once why a destination is not sent to directly, and looks again every second', () => {
    host.refuses = 'EPERM';
    const direct = start();
    expect(said).toEqual([
      'packets to 192.0.2.7 are sent through a raw socket: whether nftables looks at it is not known (EPERM)',
      'packets to 2001:db8::7 are sent through a raw socket: whether nftables looks at it is not known (EPERM)',
    ]);
    expect([...host.hops]).toEqual([
      ['192.0.2.7', 0],
      [[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7].join('.'), 0],
    ]);
    const asked = host.asked;
    vi.advanceTimersByTime(3_000);
    expect(host.asked).toBe(asked * 4);
    expect(said).toHaveLength(2);
    direct.close();
    vi.advanceTimersByTime(3_000);
    expect([host.asked, host.closed]).toEqual([asked * 4, true]);
  });

  it('looks at once when something changes, and no more often than twenty times a second', () => {
    start();
    const once = host.asked;
    expect(host.armed).toBe(1);
    host.changed();
    expect([host.asked, host.armed]).toEqual([once * 2, 1]);
    vi.advanceTimersByTime(49);
    expect([host.asked, host.armed]).toEqual([once * 2, 1]);
    vi.advanceTimersByTime(1);
    expect([host.asked, host.armed]).toEqual([once * 3, 2]);
  });
});
