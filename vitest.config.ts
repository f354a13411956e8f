import { defineConfig } from 'vitest/config';

const minute = 60_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/{contracts,stories}/**/*.test.ts'],
        },
      },
      // Guests share the cores: one after another.
      {
        test: {
          name: 'machines',
          include: ['test/machines/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 20 * minute,
          hookTimeout: 20 * minute,
        },
      },
      {
        test: {
          name: 'nightly',
          include: ['test/faults/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120 * minute,
          hookTimeout: 120 * minute,
        },
      },
    ],
  },
});
