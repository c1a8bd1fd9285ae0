import { defineConfig } from 'vitest/config';

// Prints figures; what they are worth depends on the machine, so nothing is asserted of them.
export default defineConfig({
  test: { include: ['test/bench/**/*.test.ts'], environment: 'node', fileParallelism: false, hookTimeout: 30_000 },
});
