/** Named counters in one typed array: incremented by index on the packet path, read by name in reports. */
export class Counters<Name extends string> {
  readonly names: readonly Name[];
  readonly values: Float64Array;

  constructor(names: readonly Name[]) {
    this.names = names;
    this.values = new Float64Array(names.length);
  }

  add(index: number, n = 1): void {
    this.values[index]! += n;
  }

  get(name: Name): number {
    return this.values[this.names.indexOf(name)] ?? 0;
  }

  /** The counters that are not zero, by name. */
  toJSON(): Partial<Record<Name, number>> {
    const out: Partial<Record<Name, number>> = {};
    this.names.forEach((name, i) => {
      if (this.values[i] !== 0) out[name] = this.values[i]!;
    });
    return out;
  }
}
