import { describe, expect, it } from 'vitest';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { NEVER } from '../../../src/core/time.ts';
import { SourceAddresses } from '../../../src/replay/source-addresses.ts';
import { Segment, TCP_ACK, TCP_RST, TCP_SYN } from '../../../src/wire/segment.ts';
import { Bench, Owner, Peer, V4, V6, client, open, send, streamOf } from './raw-bench.ts';

describe('a raw session', () => {
  it.each([V4, V6])('opens, delivers and closes', (to) => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1, to);
    send(owner, 'hello');
    owner.session.close();
    peer.run();
    expect(owner.ends).toEqual(['closed']);
    expect(owner.session.acknowledged).toBe(5);
    bench.expectIdle();
    const sent = bench.sent();
    expect(sent.map((s) => s.ipVersion)).toEqual(sent.map(() => to.address.version));
    expect(streamOf(sent, () => true)).toEqual({ bytes: Buffer.from('hello'), end: 'FIN' });
  });

  it('is counted while the target has shut its window on what it has to send', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    peer.full = true;
    const owners = [1, 2].map((i) => open(bench, i));
    for (const owner of owners) send(owner, 'first');
    peer.run();
    expect(bench.target.shutOut).toBe(0);
    for (const owner of owners) send(owner, 'second');
    peer.run();
    expect(bench.target.shutOut).toBe(2);
    owners[0]!.session.abort();
    bench.target.flush();
    expect(bench.target.shutOut).toBe(1);
    peer.full = false;
    peer.last.window = 1_000;
    bench.target.handleResponse(bench.now(), peer.last);
    peer.run();
    expect(bench.target.shutOut).toBe(0);
    expect(owners[1]!.session.acknowledged).toBe(11);
  });

  it('saves the bare acknowledgement of a handshake where the client has spoken first before', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const packetsOf = (i: number): number => {
      const before = bench.memory.packets.length;
      const owner = open(bench, i);
      peer.run();
      send(owner, 'hello');
      peer.run();
      return bench.memory.packets.length - before;
    };
    expect(packetsOf(1)).toBe(3);
    expect(packetsOf(2)).toBe(2);
  });

  it('that is aborted resets the target and frees everything', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    peer.run();
    send(owner, 'half');
    owner.session.abort();
    peer.run();
    expect(bench.sent().at(-1)!.flags & TCP_RST).toBe(TCP_RST);
    expect(owner.ends).toEqual([]);
    bench.expectIdle();
  });

  it('is told apart by port and address, and hears only its own target', () => {
    const bench = new Bench();
    const owner = open(bench, 1);
    bench.target.flush();
    const [syn] = bench.sent() as [Segment];
    const answer = (change: (s: Segment) => void): void => {
      const s = new Segment();
      [s.src0, s.src1, s.src2, s.src3] = [syn.dst0, syn.dst1, syn.dst2, syn.dst3];
      [s.dst0, s.dst1, s.dst2, s.dst3] = [syn.src0, syn.src1, syn.src2, syn.src3];
      [s.srcPort, s.dstPort] = [syn.dstPort, syn.srcPort];
      s.flags = TCP_RST | TCP_ACK;
      s.ack = (syn.seq + 1) as Segment['ack'];
      change(s);
      bench.target.handleResponse(bench.now(), s);
    };
    answer((s) => (s.dstPort += 1));
    answer((s) => (s.dst3 += 1));
    answer((s) => (s.srcPort += 1));
    answer((s) => (s.src3 += 1));
    expect(bench.target.strayResponses).toBe(4);
    expect(owner.ends).toEqual([]);
    answer(() => undefined);
    expect(bench.target.strayResponses).toBe(4);
    expect(owner.ends).toEqual(['refused']);
  });

  it('times out when nobody answers', () => {
    const bench = new Bench();
    const owner = open(bench, 1);
    for (let i = 0; owner.ends.length === 0 && i < 10_000; i++) bench.pass(100);
    expect(owner.ends).toEqual(['timed-out']);
    expect(bench.sent().filter((s) => s.flags & TCP_SYN).length).toBeGreaterThan(5);
    expect(bench.retransmitted).toBeGreaterThan(4);
    bench.expectIdle();
  });

  it('that the kernel will not send ends as that, and says why', () => {
    const bench = new Bench();
    bench.memory.refuse = () => ({ code: 'EPERM' });
    const owner = open(bench, 1);
    for (let i = 0; owner.ends.length === 0 && i < 10_000; i++) bench.pass(100);
    expect(owner.ends).toEqual(['send-failed']);
    bench.expectIdle();
  });
});

describe('what keeps a session from being opened', () => {
  const refused = (bench: Bench, to: Endpoint = V4, i = 1) => bench.target.open(new Owner(), client(i), to, 0);

  it('no intercept, no lease', () => {
    const bench = new Bench();
    for (const state of ['no-intercept', 'no-lease'] as const) {
      bench.ports.state = state;
      expect(bench.target.ready).toBe(false);
      expect(refused(bench)).toBe(state);
    }
    bench.expectIdle();
  });

  it('the cap on sessions', () => {
    const bench = new Bench({ maxSessions: 2 });
    open(bench, 1);
    const second = open(bench, 2);
    expect(refused(bench)).toBe('session-cap');
    second.session.abort();
    bench.target.flush();
    expect(refused(bench)).toBeTypeOf('object');
  });

  it('no port left on any of its addresses', () => {
    const ranges = [{ first: parseIp('10.9.8.1')!, count: 3 }];
    const bench = new Bench({ ports: 2, addresses: new SourceAddresses(ranges) });
    for (let i = 0; i < 6; i++) open(bench, 1);
    expect(refused(bench)).toBe('no-lease');
    expect(bench.ports.inUse.size).toBe(6);
  });

  it('a client of the wrong family', () => {
    expect(refused(new Bench(), V6)).toBe('no-lease');
  });
});

describe('a sink', () => {
  it('that is full gets the rest when it is writable, and no session is forgotten', () => {
    const bench = new Bench({ batch: new PacketBatch(4, 8_000) });
    const peer = new Peer(bench);
    const owners = Array.from({ length: 20 }, (_, i) => open(bench, i + 1));
    bench.memory.room = 5;
    bench.target.flush();
    expect(bench.target.ready).toBe(false);
    expect(bench.memory.packets).toHaveLength(5);
    for (const owner of owners) send(owner, 'x');
    bench.target.flush();
    expect(bench.memory.packets).toHaveLength(5);
    bench.memory.drain(7);
    expect(bench.memory.packets).toHaveLength(12);
    bench.memory.drain();
    expect(bench.target.ready).toBe(true);
    peer.run();
    expect(owners.map((owner) => owner.session.acknowledged)).toEqual(owners.map(() => 1));
  });

  it('that refuses a packet for its size while it is full gets smaller ones later', () => {
    const bench = new Bench({ batch: new PacketBatch(4, 8_000) });
    const peer = new Peer(bench);
    const owners = Array.from({ length: 6 }, (_, i) => open(bench, i + 1));
    peer.run();
    const text = 'y'.repeat(1_460);
    for (const owner of owners) send(owner, text);
    bench.memory.refuse = (packet) => (packet.length > 1_000 ? { code: 'EMSGSIZE', mtu: 1_000 } : undefined);
    // The first four are refused, each of which touches its session again, and then there is no room.
    bench.memory.room = 4;
    bench.target.flush();
    bench.memory.drain();
    peer.run();
    expect(owners.map((owner) => owner.session.acknowledged)).toEqual(owners.map(() => text.length));
    expect(bench.memory.packets.every((packet) => packet.length <= 1_000)).toBe(true);
  });

  it('that does not say which size it takes is tried with smaller ones', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    peer.run();
    bench.memory.refuse = (packet) => (packet.length > 600 ? { code: 'EMSGSIZE' } : undefined);
    send(owner, 'z'.repeat(5_000));
    for (let i = 0; owner.session.acknowledged < 5_000 && i < 300; i++) {
      peer.run();
      bench.pass(100);
    }
    expect(owner.session.acknowledged).toBe(5_000);
  });
});

describe('a lease that is lost', () => {
  it('ends its sessions without a word to the target, and frees what they held', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owners = [open(bench, 1), open(bench, 1), open(bench, 1)];
    peer.run();
    for (const owner of owners) send(owner, 'buffered');
    const before = bench.memory.packets.length;
    bench.target.loseLease(10_000, 2);
    expect(owners.map((owner) => owner.ends)).toEqual([['timed-out'], ['timed-out'], []]);
    bench.target.flush();
    expect(
      bench
        .sent()
        .slice(before)
        .map((s) => s.srcPort),
    ).toEqual([10_002]);
    owners[2]!.session.close();
    peer.run();
    bench.expectIdle();
  });
});

describe('the end of a run', () => {
  it('resets every session that is still open', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    for (let i = 1; i <= 5; i++) open(bench, i);
    peer.run();
    const before = bench.memory.packets.length;
    bench.target.abortAll();
    const last = bench.sent().slice(before);
    expect(last.map((s) => (s.flags & TCP_RST ? s.src3 & 255 : 0)).sort()).toEqual([1, 2, 3, 4, 5]);
    bench.expectIdle();
  });
});

describe('timers', () => {
  it('are set while something is outstanding, and only then', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    bench.target.flush();
    expect(bench.wheel.size).toBe(1);
    peer.run();
    // The timer of the SYN is not taken back, but finds nothing to do.
    bench.pass(1_100);
    expect(bench.wheel.nextWake()).toBe(NEVER);
    send(owner, 'x');
    bench.target.flush();
    expect(bench.wheel.size).toBe(1);
    peer.run();
    bench.pass(10_000);
    expect(bench.wheel.size).toBe(0);
    expect(bench.retransmitted).toBe(0);
  });
});
