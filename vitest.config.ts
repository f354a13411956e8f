import { defineConfig } from 'vitest/config';

const minute = 60_000;
/** Too long for every run. */
const long = ['debian-13-installer', 'examples', 'foreign', 'guest-shell', 'live-changes'].map(
  (name) => `test/machines/${name}.test.ts`,
);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/{contracts,stories}/**/*.test.ts'],
          // Some look at real files and processes, and a machine may have more to do than this.
          testTimeout: minute,
        },
      },
      // Guests share the cores: one after another.
      {
        test: {
          name: 'machines',
          include: ['test/{machines,faults}/**/*.test.ts'],
          exclude: long,
          fileParallelism: false,
          testTimeout: 20 * minute,
          hookTimeout: 20 * minute,
        },
      },
      // What chance decides, ten times as often. `each-step` leaves nothing to chance.
      {
        test: {
          name: 'nightly',
          include: ['test/faults/{full-disk,kill,publish-kill,power-cut,guest-kill,guest-crowd}.test.ts', ...long],
          env: { INGOT_FAULT_SCALE: '10' },
          fileParallelism: false,
          testTimeout: 120 * minute,
          hookTimeout: 120 * minute,
        },
      },
    ],
  },
});
