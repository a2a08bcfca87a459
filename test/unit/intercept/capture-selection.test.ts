import { describe, expect, it } from 'vitest';
import { coarseFilter, exactFilter } from '../../../src/intercept/capture-selection.ts';
import { ip } from '../control/samples.ts';

const web = { address: ip('192.0.2.1'), portFirst: 80, portLast: 80 };
const other = { address: ip('2001:db8::1'), portFirst: 3000, portLast: 3010 };

describe('capture filter', () => {
  it('names each target once, whichever instances want it', () => {
    expect(exactFilter([web, other, { ...web }], 'not host 1.2.3.4')).toEqual({
      selection: { endpoints: [web, other], direction: 'from' },
      expression: 'not host 1.2.3.4',
    });
  });

  it('matches nothing while nobody is connected', () => {
    expect(exactFilter([], undefined).selection?.endpoints).toEqual([{ portFirst: 0, portLast: 0 }]);
  });

  it('covers all ports of all targets when it is coarse', () => {
    expect(coarseFilter([other, web], undefined).selection?.endpoints).toEqual([{ portFirst: 80, portLast: 3010 }]);
  });
});
