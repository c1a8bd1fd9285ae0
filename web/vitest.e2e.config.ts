import { defineConfig } from 'vitest/config';

// Each file drives a real browser against the built page, one after another:
// two browsers at once make timings on a small machine a lottery.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
    // A browser on a busy machine may be starved once; what was tried again is told.
    retry: process.env.CI ? 1 : 0,
  },
});
