import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ENCAPSULATION_OVERFLOW,
  ENCAPSULATION_PATHS_MAX,
  EncapsulationTable,
  STEP_GRE,
  STEP_VLAN,
  STEP_VXLAN,
} from '../../../src/wire/encapsulation.ts';

describe('EncapsulationTable', () => {
  it('gives equal paths equal ids, and different paths different ones', () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.oneof(fc.nat(20), fc.integer()));
    const table = new EncapsulationTable(true);
    const byPath = new Map<string, number>();
    const byId = new Map<number, string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3 }), (path) => {
        const id = path.reduce((parent, [kind, value]) => table.extend(parent, kind, value), 0);
        const name = JSON.stringify(path.map(([kind, value]) => [kind, value | 0]));
        expect(byPath.get(name) ?? id).toBe(id);
        expect(byId.get(id) ?? name).toBe(name);
        byPath.set(name, id);
        byId.set(id, name);
      }),
      { numRuns: 1000 },
    );
  });

  it('minds the order of the steps', () => {
    const table = new EncapsulationTable(true);
    const a = table.extend(table.extend(0, STEP_VLAN, 10), STEP_VLAN, 20);
    const b = table.extend(table.extend(0, STEP_VLAN, 20), STEP_VLAN, 10);
    expect(a).not.toBe(b);
    expect(table.describe(a)).toBe('vlan 10 / vlan 20');
    expect(table.describe(table.extend(b, STEP_GRE, -1))).toBe('vlan 20 / vlan 10 / gre 4294967295');
    expect(table.describe(0)).toBe('');
  });

  it('has one id for all paths beyond its cap, counts their frames, and still knows the others', () => {
    const table = new EncapsulationTable(true);
    const ids = new Set<number>();
    for (let vni = 1; vni <= ENCAPSULATION_PATHS_MAX; vni++) ids.add(table.extend(0, STEP_VXLAN, vni));
    expect(ids.size).toBe(ENCAPSULATION_PATHS_MAX);
    expect(ids.has(0) || ids.has(ENCAPSULATION_OVERFLOW)).toBe(false);
    expect(table.overflowed).toBe(0);
    const beyond = table.extend(0, STEP_VXLAN, 0xff_ffff);
    expect(beyond).toBe(ENCAPSULATION_OVERFLOW);
    expect(table.extend(beyond, STEP_VLAN, 1)).toBe(ENCAPSULATION_OVERFLOW);
    expect(table.overflowed).toBe(2);
    expect(table.describe(beyond)).toBe('other');
    expect(table.extend(0, STEP_VXLAN, 17)).toBe(17);
  });

  it('switched off, knows only the plain path', () => {
    expect(new EncapsulationTable(false).extend(0, STEP_VLAN, 10)).toBe(0);
  });
});
