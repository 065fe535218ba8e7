// Tests that take minutes: long iterations and large random searches.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    testTimeout: 3_600_000,
    reporters: ['default', './test/plain-reporter.ts'],
  },
});
