// The everyday suite: quick, offline, no privileges.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/long/**'],
    // the default leaves one of two cores idle
    maxWorkers: 2,
    reporters: ['default', './test/plain-reporter.ts'],
    coverage: { include: ['src/**/*.ts'], exclude: ['src/crypto/wasm/assembly/**'] },
  },
});
