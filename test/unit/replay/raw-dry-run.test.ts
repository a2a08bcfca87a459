import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { millis } from '../../../src/core/time.ts';
import { MemorySink } from '../../support/memory-sink.ts';
import { AcknowledgingPeer } from '../../../src/replay/acknowledging-peer.ts';
import { ByteBudget } from '../../../src/replay/piece-queue.ts';
import { Replica } from '../../../src/replay/replica.ts';
import type { ReplayContext } from '../../../src/replay/replay-context.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import type { Segment } from '../../../src/wire/segment.ts';
import { TCP_ACK, TCP_SYN } from '../../../src/wire/segment.ts';
import { piece } from './replay-rig.ts';
import { Bench, V4, V6, client, open, streamOf, type Setup } from './raw-bench.ts';

describe('a dry run', () => {
  /** A context in which nobody responds, over a raw target that answers itself. */
  class DryRun extends Bench implements ReplayContext {
    readonly ledger = new Ledger();
    readonly budget = new ByteBudget(64 << 20);
    readonly waitsForResponse = false;
    readonly expectsResponses = false;
    readonly reading = undefined;
    readonly repeatable = true;
    busyReplicas = 0;
    crowdedReplicas = 0;
    undecidedMessages = 0;
    heldReplicas = 0;
    behindReplicas = 0;
    done = 0;
    readonly #peer: AcknowledgingPeer;

    constructor(setup: Setup) {
      let peer!: AcknowledgingPeer;
      super(setup, (memory) => (peer = new AcknowledgingPeer(memory)));
      this.#peer = peer;
    }

    patience = () => millis(30_000);
    gapBucket = () => 'capture-gap' as const;
    wake = () => undefined;
    released = () => undefined;
    answered = () => undefined;
    responded = () => undefined;
    responseBegan = () => undefined;

    replica(i: number, to: Endpoint): Replica {
      const owner = {
        client: client(i, to.address.version),
        target: to,
        protocol: 'opaque',
        reader: () => expect.unreachable(),
        dialogue: () => expect.unreachable(),
        responseRead: () => expect.unreachable(),
        notReplayable: () => expect.unreachable(),
        unread: () => expect.unreachable(),
        unitSettled: this.ledger.settleUnit.bind(this.ledger),
        replicaDone: () => this.done++,
      };
      return new Replica(this, owner, 0);
    }

    /** Turns of a loop, until nothing is left to do but wait. */
    settle(): void {
      this.target.flush();
      while (this.#peer.hasReplies) {
        this.#peer.deliver((segment) => this.target.handleResponse(this.now(), segment));
        this.target.flush();
      }
    }
  }

  it('writes down every byte of every connection, in order, and closes each', () => {
    const unit = fc.record({
      length: fc.integer({ min: 1, max: 20_000 }),
      answers: fc.nat(1),
      pieces: fc.integer({ min: 1, max: 3 }),
    });
    const connection = fc.record({ v6: fc.boolean(), early: fc.boolean(), units: fc.array(unit, { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(connection, { minLength: 1, maxLength: 6 }), fc.boolean(), (connections, hurried) => {
        const run = new DryRun({ batch: new PacketBatch(16, 32_000) });
        const expected = connections.map(({ v6, early, units }, i) => {
          const replica = run.replica(i + 1, v6 ? V6 : V4);
          if (early) replica.openEarly();
          let stream = '';
          for (const { length, answers, pieces } of units) {
            for (let p = 0; p < pieces; p++) {
              const text = `${i}.${stream.length}.`.repeat(Math.ceil(length / 4)).slice(0, length);
              stream += text;
              replica.push(piece(text, { first: p === 0, answers }));
              if (!hurried) run.settle();
            }
          }
          replica.clientEnded('fin', 1);
          return stream;
        });
        for (let i = 0; run.done < connections.length && i < 100; i++) {
          run.settle();
          run.pass(10);
        }
        run.settle();
        expect(run.done).toBe(connections.length);
        expect(run.busyReplicas + run.budget.used).toBe(0);
        const units = connections.reduce((n, c) => n + c.units.length, 0);
        expect(run.ledger.units.toJSON()).toEqual(units > 0 ? { unanswered: units } : {});
        run.expectIdle();

        const sent = run.sent();
        connections.forEach(({ v6, early, units: own }, i) => {
          const address = client(i + 1, v6 ? 6 : 4).address;
          const isMine = (s: Segment): boolean => s.src0 === address.w0 && s.src3 === address.w3;
          if (!early && own.length === 0) {
            expect(sent.some(isMine)).toBe(false);
            return;
          }
          expect(sent.filter((s) => isMine(s) && s.flags & TCP_SYN)).toHaveLength(1);
          const { bytes, end } = streamOf(sent, isMine);
          expect(bytes.toString('latin1') === expected[i]).toBe(true);
          expect(end).toBe('FIN');
        });
      }),
      { numRuns: 30 },
    );
  });

  it('answers each packet once, although the sink keeps some back', () => {
    const memory = new MemorySink(new PacketBatch(8, 8_000));
    const peer = new AcknowledgingPeer(memory);
    const bench = new Bench({});
    for (let i = 1; i <= 3; i++) open(bench, i);
    bench.target.flush();
    for (const packet of bench.memory.packets) {
      peer.batch.bytes.set(packet, peer.batch.reserve(packet.length));
      peer.batch.commit(packet.length);
    }
    memory.room = 1;
    expect(peer.flush()).toBe(false);
    expect(peer.flush()).toBe(false);
    memory.room = 10;
    expect(peer.flush()).toBe(true);
    let replies = 0;
    peer.deliver((reply) => {
      replies++;
      expect(reply.flags).toBe(TCP_SYN | TCP_ACK);
    });
    expect(replies).toBe(3);
    expect(peer.hasReplies).toBe(false);
    expect(memory.packets).toHaveLength(3);
  });
});
