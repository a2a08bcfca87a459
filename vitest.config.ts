import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Plugins import the package by its name: here that means the sources. */
const alias = {
  'tcpcopy/plugin': fileURLToPath(new URL('src/plugin/index.ts', import.meta.url)),
  'tcpcopy/testing': fileURLToPath(new URL('src/testing/index.ts', import.meta.url)),
};

/** Unit, plugin and fuzz tests need no root and run in parallel; end-to-end tests own the machine one at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/plugins/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          setupFiles: ['test/support/fuzzing.ts'],
          testTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
