/** What the online server does for a request, and how many come: what a copier is felt by depends on how long a request takes. */
import type { WrkOptions } from '../../test/e2e/lab/wrk.ts';

export interface Service {
  readonly name: string;
  /** What of a load it makes. */
  readonly load: Pick<WrkOptions, 'path' | 'header'>;
  /** Requests a second, half of them on connections of their own: what one processor answers without being busy. */
  readonly rate: number;
}

/** `1k`: a file in memory, 0.09 ms. `page`: 24 KB of text that are compressed as well as can be for each request, about 1 ms. */
export const SERVICES: readonly Service[] = [
  { name: '1k', load: { path: '/1k' }, rate: 2_000 },
  { name: 'page', load: { path: '/page', header: 'Accept-Encoding: gzip' }, rate: 300 },
];
