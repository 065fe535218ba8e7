// Tests against other WireGuard implementations on this machine; each skips where its counterpart is not installed.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    passWithNoTests: true,
    testTimeout: 120_000,
    // what is taken down may be a guest on a busy machine
    hookTimeout: 60_000,
    fileParallelism: false,
    reporters: ['default', './test/plain-reporter.ts'],
  },
});
