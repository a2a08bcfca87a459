/**
 * What the native addon (`native/*.c`) exports. Its errors carry `code`: an errno name, or for `compileFilter`
 * `LIBPCAP_MISSING` or `FILTER_SYNTAX`.
 */
export interface NativeAddon {
  readonly Ring: new (options: RingOptions, wake: (error?: string) => void) => NativeRing;
  readonly Sender: new (options: SenderOptions, writable: (error?: string) => void) => NativeSender;
  /** Compiles pcap-filter(7) text for a DLT_ value; the result is an array of `struct sock_filter`. */
  compileFilter(dlt: number, snapLength: number, text: string): ArrayBuffer;
  /** Every network device of this network namespace. */
  devices(): NetworkDevice[];
  /** The next change of user leaves this process its capabilities. */
  keepCapabilities(): void;
  /** No capability but CAP_NET_RAW from here on, as far as it was there. */
  limitCapabilities(): void;
  /** Whether processes started from here on inherit CAP_NET_RAW where this one has it and is not root. */
  passNetRaw(pass: boolean): void;
  /** Tells of changes of routes, rules, neighbours and devices. `groups`: NETLINK_ROUTE's multicast groups, as a mask. */
  readonly KernelWatch: new (groups: number, changed: () => void) => NativeKernelWatch;
  /** Sends a netlink message and waits for the answer, whose bytes it counts; `protocol`: NETLINK_. */
  askKernel(protocol: number, request: Uint8Array, answer: Uint8Array): number;
  /** This thread of the process, by its id, runs only while nothing else wants its processor. */
  runWhenIdle(thread: number): void;
  /** What wakes up on this thread's processor runs before it goes on; its share stays what it was. Linux 6.12. */
  letOthersFirst(thread: number): void;
  /** Blocks the thread for so many microseconds, a second at most; a signal ends it early. */
  pause(microseconds: number): void;
  /**
   * Reads a socket by its file descriptor; returns how many bytes are in `bytes` from `at` on now. 0: there are none, or it has
   * ended or failed, of which whoever watches it will be told.
   */
  receive(fd: number, bytes: Uint8Array, at: number): number;
  /** Frames that found no room in a packet socket, by its file descriptor, since last asked; `undefined` when it is none. */
  droppedFrames(fd: number): number | undefined;
  /** CPU time of all threads, microseconds, and resident memory, bytes, into `out`. */
  usage(out: Float64Array): void;
  /** Gives back memory that can be had again at no loss: pages of node's program file, and what malloc keeps. */
  trimMemory?(): void;
}

export interface NetworkDevice {
  readonly name: string;
  readonly index: number;
  /** ARPHRD_ value. */
  readonly type: number;
  readonly up: boolean;
  readonly loopback: boolean;
}

/** The ring shares its frames with nobody. */
export const FANOUT_NONE = 0xffff_ffff;
/** It begins a group of rings that share them, to be joined by others. */
export const FANOUT_NEW = 0xffff_fffe;

export interface RingOptions {
  /** Interface index; 0 is every device. */
  readonly device: number;
  /** Frames without their link header, which is then in the frame's sockaddr_ll. */
  readonly cooked: boolean;
  /** Bytes per block, a multiple of the page size. */
  readonly blockSize: number;
  readonly blockCount: number;
  /** 0: frames are packed into blocks (TPACKET_V3); else each has a slot of so many bytes (TPACKET_V2). */
  readonly slotSize: number;
  /** `FANOUT_NONE`, `FANOUT_NEW`, or the id of a group that another ring on this device has begun. */
  readonly fanoutGroup: number;
  /** After so many milliseconds a block that has frames is handed over although it is not full. */
  readonly retireMs: number;
  readonly promiscuous: boolean;
  readonly ignoreOutgoing: boolean;
  /** `struct sock_filter` array, in force before the first frame. */
  readonly filter: Uint8Array;
}

export interface NativeRing {
  /** The ring's blocks or slots, shared with the kernel. Empty after `close`. */
  readonly buffer: ArrayBuffer;
  /** Asks for one call of `wake`; its argument is an errno name when the device failed. */
  arm(): void;
  /** The id of the group of rings that share the frames; of a ring that is in one. */
  fanoutGroup(): number;
  setFilter(program: Uint8Array): void;
  /** `out`: frames that passed the filter, how many of them were dropped, how often the ring was full. Cumulative. */
  statistics(out: Float64Array): void;
  close(): void;
}

export interface NativeKernelWatch {
  /** Asks for one call of `changed`, for what changes from now on. */
  arm(): void;
  close(): void;
}

export interface SenderOptions {
  /** SO_MARK; 0 is none. */
  readonly mark: number;
  /** Interface index to send through; 0 is as routed. */
  readonly device: number;
  /** Kernel send buffer; 0 leaves the system's default. */
  readonly bufferBytes: number;
}

export interface NativeSender {
  /**
   * Prepares to send packets out of a `PacketBatch`, whose arrays these are: the function that it gives sends those from `first`
   * to `end - 1`, large ones too, and returns the index of the first one not dealt with: `end`, or less when the socket is full
   * (`result[SEND_BLOCKED]` is its errno) or `result` is.
   */
  sending(
    bytes: Uint8Array,
    offset: Uint32Array,
    length: Uint32Array,
    segment: Uint16Array,
    result: Int32Array,
  ): (first: number, end: number) => number;
  /**
   * Packets to `destination` (4 or 16 bytes) of at most `mtu` bytes go straight to the Ethernet address `mac` on a device from
   * now on, until the kernel refuses one; now and then some still go through the raw socket, so that the kernel sees the
   * neighbour used. Device 0: all do. False: there is no room for one more.
   */
  setNextHop(destination: Uint8Array, device: number, mac: Uint8Array, mtu: number): boolean;
  /** Asks for one call of `writable`. */
  awaitWritable(): void;
  close(): void;
}

/** Layout of `NativeSender.send`'s result: errno, number of failures, then the failures. */
export const SEND_BLOCKED = 0;
export const SEND_FAILURES = 1;
export const SEND_FIRST_FAILURE = 2;
/** A failure: index of the packet, errno, MTU of its route (0: unknown). */
export const SEND_FAILURE_WORDS = 3;
