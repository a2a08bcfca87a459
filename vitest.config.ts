import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Plugins import the package by its name: here that means the sources. */
const alias = {
  'tcpcopy/plugin': fileURLToPath(new URL('src/plugin/index.ts', import.meta.url)),
  'tcpcopy/testing': fileURLToPath(new URL('src/testing/index.ts', import.meta.url)),
};

/**
 * Each end-to-end test has a lab of its own, and mostly waits: so a few files run at a time. Those in `alone` offer the
 * machine as much as it can take, or measure: they come afterwards, one by one. TCPCOPY_IO=pcap runs all of them over
 * libpcap and `raw-socket`; `e2e-pcap` does so with a few of them.
 */
const TOGETHER = { maxWorkers: Number(process.env['TCPCOPY_E2E_WORKERS'] ?? 2), sequence: { groupOrder: 1 } };
const END_TO_END = {
  e2e: { include: ['test/e2e/*.test.ts'], ...TOGETHER },
  'e2e-pcap': {
    include: ['record', 'responses', 'send-errors', 'stop'].map((name) => `test/e2e/${name}.test.ts`),
    env: { TCPCOPY_IO: 'pcap' },
    ...TOGETHER,
  },
  'e2e-alone': { include: ['test/e2e/alone/*.test.ts'], fileParallelism: false, sequence: { groupOrder: 2 } },
};

/** Many of these wait, too: vitest would leave one processor free. */
const maxWorkers = availableParallelism();

/** Unit, plugin and fuzz tests need no root and run in parallel. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/plugins/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          setupFiles: ['test/support/fuzzing.ts'],
          maxWorkers,
          // They leave nothing behind that others would notice, and most take less time than loading what they test.
          isolate: false,
          restoreMocks: true,
          testTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          maxWorkers,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      ...(['e2e', 'e2e-pcap', 'e2e-alone'] as const).map((name) => ({
        resolve: { alias },
        test: {
          name,
          ...END_TO_END[name],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      })),
    ],
  },
});
