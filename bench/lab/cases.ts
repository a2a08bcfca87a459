/** The ladder of loads that the lab benchmark offers. */
import type { WrkOptions } from '../../test/e2e/lab/wrk.ts';

export interface LoadCase {
  readonly name: string;
  readonly load: Omit<WrkOptions, 'address' | 'seconds'> & { readonly connections: number };
  /** Added to tcpcopy's arguments; a peer has no plugins and runs without. */
  readonly plugins?: readonly string[];
}

const HTTP_PLUGINS = ['--plugin', 'http-host-rewrite=staging.example', '--plugin', 'sample=100%'] as const;

const keepAlive = { connections: 32 } as const;
const short = { connections: 64, short: true } as const;

const LOADS: readonly LoadCase[] = [
  { name: 'keep-alive 1,600/s', load: { ...keepAlive, rate: 1_600 } },
  { name: 'keep-alive 5,000/s', load: { ...keepAlive, rate: 5_000 } },
  { name: 'keep-alive full', load: keepAlive },
  { name: 'short 1,600/s', load: { ...short, rate: 1_600 } },
  { name: 'short 4,000/s', load: { ...short, rate: 4_000 } },
  { name: 'short full', load: short },
  { name: '10,000 connections 2,000/s', load: { connections: 10_000, rate: 2_000 } },
  { name: 'responses of 100 KB 500/s', load: { ...keepAlive, rate: 500, path: '/100k' } },
  { name: 'POSTs of 1 MB 20/s', load: { connections: 16, rate: 20, path: '/read', body: 1_000_000 } },
];

export const CASES: readonly LoadCase[] = [
  ...LOADS,
  ...LOADS.map(({ name, load }) => ({ name: `plugins: ${name}`, load, plugins: HTTP_PLUGINS })),
];
