/** The loads that the lab benchmark offers. */
import type { WrkOptions } from '../../test/e2e/lab/wrk.ts';

export interface LoadCase {
  readonly name: string;
  readonly load: Omit<WrkOptions, 'address' | 'seconds'>;
}

export const CASES: readonly LoadCase[] = [
  { name: 'keep-alive 1,500/s', load: { rate: 1_500, connections: 32 } },
  { name: 'keep-alive 5,000/s', load: { rate: 5_000, connections: 32 } },
  { name: 'keep-alive, full', load: { connections: 32 } },
  { name: 'keep-alive 100 KB, 500/s', load: { rate: 500, connections: 32, path: '/100k' } },
  { name: 'new connections 1,500/s', load: { rate: 1_500, connections: 64, short: true } },
  { name: 'new connections 4,000/s', load: { rate: 4_000, connections: 64, short: true } },
  { name: 'new connections, full', load: { connections: 64, short: true } },
];
