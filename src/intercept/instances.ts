/**
 * All instances and their leases: who is taken in, what each message of theirs changes, and when one is forgotten.
 *
 * An instance lives from its first HELLO until it says BYE on its last connection, or until the lease silence has passed
 * since its last connection was lost. Its connections may come and go meanwhile.
 */
import { leasePlace, type LeaseTable } from '../control/lease-table.ts';
import type { Hello, Message, TargetRange } from '../control/messages.ts';
import {
  BYE,
  HURRY,
  LEASE_GRANT,
  LEASE_REQUEST,
  MESSAGE_NAMES,
  PING,
  PONG,
  RECLAIM,
  TARGETS,
  WANT_PAYLOAD,
} from '../control/protocol.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Instant } from '../core/time.ts';
import { Instance } from './instance.ts';
import type { Peer } from './peer.ts';

/** More could never hold a block each. */
const MAX_INSTANCES = 64;

export class Instances {
  /** By holder number. */
  readonly bySlot: (Instance | undefined)[] = [];
  /** Counts of instances that are forgotten. */
  #forwardedBefore = 0;
  #droppedBefore = 0;
  readonly #byId = new Map<string, Instance>();
  readonly #leases: LeaseTable;
  readonly #log: Log;
  readonly #wishesChanged: () => void;
  readonly #hurryChanged: (hurry: boolean) => void;

  /** `wishesChanged`: other frames may be wanted; `hurryChanged`: responses are to be handed over the moment they come, or not. */
  constructor(leases: LeaseTable, log: Log, wishesChanged: () => void, hurryChanged: (hurry: boolean) => void) {
    this.#leases = leases;
    this.#log = log;
    this.#wishesChanged = wishesChanged;
    this.#hurryChanged = hurryChanged;
  }

  get all(): Iterable<Instance> {
    return this.#byId.values();
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Segments sent to all instances there ever were. */
  get forwarded(): number {
    return [...this.#byId.values()].reduce((sum, instance) => sum + instance.forwarded, this.#forwardedBefore);
  }

  /** Segments dropped because their instance read too slowly. */
  get dropped(): number {
    return [...this.#byId.values()].reduce((sum, instance) => sum + instance.dropped, this.#droppedBefore);
  }

  /** The targets of all instances. */
  targets(): TargetRange[] {
    return [...this.#byId.values()].flatMap((instance) => instance.targets.ranges);
  }

  /** The most payload that any of them wants of a segment. */
  maxPayload(): number {
    return Math.max(0, ...[...this.#byId.values()].map((instance) => instance.maxPayload));
  }

  /** Takes a connection in; a string says why not. */
  admit(peer: Peer, hello: Hello): Instance | string {
    const id = Array.from(hello.instanceId, (byte) => byte.toString(16).padStart(2, '0')).join('');
    let instance = this.#byId.get(id);
    if (instance === undefined) {
      const slot = this.#freeSlot();
      if (slot === undefined) return `the intercept serves ${MAX_INSTANCES} tcpcopy instances already`;
      instance = new Instance(id, slot, leasePlace(hello.instanceId));
      this.bySlot[slot] = instance;
      this.#byId.set(id, instance);
    }
    // The same connection anew: its tcpcopy noticed the end of the old one before us.
    instance.peers.find((other) => other.index === peer.index)?.close('replaced by a new connection');
    instance.add(peer);
    this.#leases.appear(instance.slot);
    this.#log.info(`tcpcopy ${peer.name} connected`, {
      instance: id,
      connection: peer.index,
      software: hello.software,
    });
    return instance;
  }

  /** Acts on one message. Throws E_CONTROL_PROTOCOL for one that does not belong here. */
  handle(peer: Peer, instance: Instance, message: Message): void {
    switch (message.type) {
      case PING:
        peer.send({ type: PONG, token: message.token });
        return;
      case TARGETS:
        instance.setTargets(message);
        this.#wishesChanged();
        return;
      case WANT_PAYLOAD:
        instance.maxPayload = message.maxBytes;
        this.#wishesChanged();
        return;
      case HURRY:
        this.#setHurry(instance, message.on);
        return;
      case LEASE_REQUEST:
        instance.wanted = message.blocks;
        this.#leases.grant(instance.slot, message.blocks, instance.place);
        this.#answerLease(peer, instance);
        return;
      case RECLAIM:
        this.#leases.reclaim(instance.slot, message.blocks);
        this.#answerLease(peer, instance);
        return;
      case BYE:
        peer.leaving = true;
        peer.close();
        return;
      default:
        throw new TcpcopyError('E_CONTROL_PROTOCOL', `tcpcopy may not send ${MESSAGE_NAMES[message.type]}`);
    }
  }

  /** A connection has ended. */
  left(peer: Peer, instance: Instance, now: Instant): void {
    instance.remove(peer);
    if (instance.peers.length > 0) return;
    this.#setHurry(instance, false);
    if (peer.leaving) this.#forget(instance, 'has left');
    else this.#leases.vanish(instance.slot, now);
  }

  /** Forgets the instances that stayed away too long. */
  expire(now: Instant): void {
    for (const slot of this.#leases.expire(now)) {
      const instance = this.bySlot[slot];
      if (instance !== undefined) this.#forget(instance, 'did not come back');
    }
  }

  #setHurry(instance: Instance, hurries: boolean): void {
    instance.hurries = hurries;
    this.#hurryChanged([...this.#byId.values()].some((any) => any.hurries));
  }

  #answerLease(peer: Peer, instance: Instance): void {
    const blocks = this.#leases.blocksOf(instance.slot);
    const { free } = this.#leases;
    if (blocks.length < instance.wanted) {
      this.#log.warn(
        `tcpcopy ${peer.name} wants ${instance.wanted} port blocks and has ${blocks.length}; ${free} are free`,
      );
    }
    peer.send({ type: LEASE_GRANT, wanted: instance.wanted, free, blocks });
  }

  #forget(instance: Instance, what: string): void {
    const ports = this.#leases.blocksOf(instance.slot).length;
    this.#leases.release(instance.slot);
    this.#forwardedBefore += instance.forwarded;
    this.#droppedBefore += instance.dropped;
    this.#byId.delete(instance.id);
    this.bySlot[instance.slot] = undefined;
    this.#log.info(
      `tcpcopy instance ${instance.id} ${what}; ${ports === 1 ? 'its port block is' : `its ${ports} port blocks are`} free`,
    );
    this.#wishesChanged();
  }

  #freeSlot(): number | undefined {
    for (let slot = 0; slot < MAX_INSTANCES; slot++) if (this.bySlot[slot] === undefined) return slot;
    return undefined;
  }
}
