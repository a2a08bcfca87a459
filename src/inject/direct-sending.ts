/**
 * Sends to the device itself where that is as good as sending through the kernel's IP layer, and costs half: for each
 * destination it finds the next hop, tells the sender, and does so anew when anything changes, and once a second.
 *
 * Not sent directly: what a firewall or IPsec on this host would see, and where the route is not plain Ethernet to one known
 * neighbour (next-hop, output-hooks). The sender itself goes back to the raw socket when the device refuses a packet.
 */
import { readFileSync } from 'node:fs';
import { formatIp, toBytes, type IpAddress } from '../core/ip-address.ts';
import type { NativeAddon, NativeKernelWatch, NativeSender } from '../native/addon.ts';
import { findNextHop, type NextHop, type Routing } from './next-hop.ts';
import { outputHook } from './output-hooks.ts';

/** RTNLGRP_LINK, _NEIGH, _IPV4_ROUTE, _IPV4_RULE, _IPV6_ROUTE, and that of IPv6 rules, as a mask of the older kind. */
const GROUPS = 0x1 | 0x4 | 0x40 | 0x80 | 0x400 | 0x40000;
const REFRESH_MS = 1_000;
/** Changes that follow one another faster than this are looked at together. */
const SETTLE_MS = 50;
const ANSWER_BYTES = 64 << 10;
const NOWHERE = new Uint8Array(6);

export interface DirectSendingOptions {
  /** More than the sender has room for go through the raw socket. */
  readonly destinations: readonly IpAddress[];
  readonly routing: Routing;
  /** Told how packets to a destination are sent, at first and when that changes. */
  readonly told?: ((line: string) => void) | undefined;
}

export class DirectSending {
  readonly #addon: NativeAddon;
  readonly #sender: NativeSender;
  readonly #options: DirectSendingOptions;
  readonly #answer = new Uint8Array(ANSWER_BYTES);
  /** What was said last of each destination. */
  readonly #said = new Map<IpAddress, string>();
  readonly #watch: NativeKernelWatch | undefined;
  readonly #refresh: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(addon: NativeAddon, sender: NativeSender, options: DirectSendingOptions) {
    this.#addon = addon;
    this.#sender = sender;
    this.#options = options;
    try {
      this.#watch = new addon.KernelWatch(GROUPS, () => this.#changed());
    } catch {
      // Without it a change could be noticed a second late: too late.
      for (const destination of options.destinations)
        this.#tell(destination, 'through a raw socket: changes go unnoticed');
      return;
    }
    this.#look();
    this.#refresh = setInterval(() => this.#look(), REFRESH_MS);
    this.#refresh.unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#refresh);
    clearTimeout(this.#settle);
    this.#watch?.close();
  }

  #changed(): void {
    if (this.#closed) return;
    // Not armed again before that: a flood of changes is looked at twenty times a second.
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      this.#look();
    }, SETTLE_MS);
    this.#look();
  }

  #look(): void {
    // First, so that what changes while we look is not missed.
    if (this.#settle === undefined) this.#watch?.arm();
    const hook = outputHook(this.#ask, readText);
    for (const destination of this.#options.destinations) this.#set(destination, hook ?? this.#find(destination));
  }

  #find(destination: IpAddress): NextHop | string {
    try {
      return findNextHop(this.#ask, Uint8Array.from(toBytes(destination)), this.#options.routing);
    } catch (error) {
      return String((error as { readonly code?: unknown }).code ?? error);
    }
  }

  #set(destination: IpAddress, found: NextHop | string): void {
    const bytes = Uint8Array.from(toBytes(destination));
    if (typeof found === 'string') {
      this.#sender.setNextHop(bytes, 0, NOWHERE, 0);
      this.#tell(destination, `through a raw socket: ${found}`);
      return;
    }
    const { device, mac, mtu } = found;
    const fits = this.#sender.setNextHop(bytes, device, mac, mtu);
    const to = Buffer.from(mac)
      .toString('hex')
      .replace(/..(?!$)/g, '$&:');
    this.#tell(destination, fits ? `on device ${device} to ${to}` : 'through a raw socket: too many destinations');
  }

  #tell(destination: IpAddress, how: string): void {
    if (this.#said.get(destination) === how) return;
    this.#said.set(destination, how);
    this.#options.told?.(`packets to ${formatIp(destination)} are sent ${how}`);
  }

  readonly #ask = (protocol: number, request: Uint8Array): Uint8Array => {
    const length = this.#addon.askKernel(protocol, request, this.#answer);
    return this.#answer.slice(0, length);
  };
}

function readText(path: string): string {
  return readFileSync(path, 'latin1');
}
