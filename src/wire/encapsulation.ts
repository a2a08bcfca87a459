/**
 * Names for the ways a segment was wrapped, so that the same addresses on two VLANs, or in two VXLAN networks, are two
 * connections.
 *
 * A path is a list of steps (VLAN 10, then VXLAN 5001, …), outermost first. Each distinct path has a small integer,
 * made when it is first seen: a node of a tree whose edges are steps, kept in an open-addressing hash table of typed
 * arrays. 0 is the plain path.
 *
 * Only what is the same in both directions of a connection is a step. Left out on purpose: VLAN priority tags
 * (VID 0), MPLS labels (a label switched path has one direction), GTP and L2TP tunnel ids (each end chooses its own), PPPoE
 * sessions and outer addresses.
 *
 * Cap: `ENCAPSULATION_PATHS_MAX` paths. Those that come after it all share the id `ENCAPSULATION_OVERFLOW`, so such
 * connections are told apart by addresses and ports only; `overflowed` counts the frames.
 */
export const STEP_VLAN = 1;
export const STEP_VXLAN = 2;
/** IP in IP, 6in4, 4in6: the value is the inner version. */
export const STEP_IP = 3;
/** The value is the key, 0 without one. */
export const STEP_GRE = 4;
export const STEP_GTP = 5;
export const STEP_L2TP = 6;
export const STEP_GENEVE = 7;

const STEP_NAMES = ['', 'vlan', 'vxlan', 'ip', 'gre', 'gtp-u', 'l2tp', 'geneve'];

export const ENCAPSULATION_PATHS_MAX = 4096;
export const ENCAPSULATION_OVERFLOW = ENCAPSULATION_PATHS_MAX + 1;

const SLOTS = 4 * ENCAPSULATION_PATHS_MAX;

export class EncapsulationTable {
  /** Frames whose path got no id of its own. */
  overflowed = 0;
  private readonly enabled: boolean;
  private count = 0;
  /** Path id by slot; 0 marks a free one. */
  private readonly slots = new Uint16Array(SLOTS);
  /** By path id: the path it extends, with the kind of step, and the step's value. */
  private readonly parentAndKind = new Int32Array(ENCAPSULATION_PATHS_MAX + 1);
  private readonly stepValue = new Int32Array(ENCAPSULATION_PATHS_MAX + 1);

  /** `enabled` false: every path is 0, and connections are told apart by addresses and ports only. */
  constructor(enabled: boolean) {
    this.enabled = enabled;
  }

  /** The id of `parent` extended by one step. */
  extend(parent: number, kind: number, value: number): number {
    if (!this.enabled) return 0;
    if (parent === ENCAPSULATION_OVERFLOW) return this.overflow();
    const parentAndKind = (parent << 3) | kind;
    let hash = Math.imul(parentAndKind ^ Math.imul(value, 0x9e37_79b1), 0x85eb_ca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const id = this.slots[slot]!;
      if (id === 0) {
        if (this.count === ENCAPSULATION_PATHS_MAX) return this.overflow();
        this.count++;
        this.slots[slot] = this.count;
        this.parentAndKind[this.count] = parentAndKind;
        this.stepValue[this.count] = value;
        return this.count;
      }
      if (this.parentAndKind[id] === parentAndKind && this.stepValue[id] === (value | 0)) return id;
    }
  }

  /** For reports: `vlan 10 / vxlan 5001`; empty for the plain path. */
  describe(id: number): string {
    if (id === ENCAPSULATION_OVERFLOW) return 'other';
    const steps: string[] = [];
    for (let at = id; at !== 0; at = this.parentAndKind[at]! >>> 3) {
      steps.unshift(`${STEP_NAMES[this.parentAndKind[at]! & 7]!} ${this.stepValue[at]! >>> 0}`);
    }
    return steps.join(' / ');
  }

  private overflow(): number {
    this.overflowed++;
    return ENCAPSULATION_OVERFLOW;
  }
}
