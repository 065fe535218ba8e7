// The everyday suite: quick, offline, no privileges.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/long/**'],
    setupFiles: ['./test/setup.ts'],
    // the default leaves one of two cores idle
    maxWorkers: 2,
    // files of one worker share modules, or loading them takes as long as the tests: see test/shared-modules.test.ts
    isolate: false,
    // speed is no matter of tests: a busy machine must not fail a property
    testTimeout: 60_000,
    reporters: ['default', './test/plain-reporter.ts'],
    coverage: { include: ['src/**/*.ts'], exclude: ['src/crypto/wasm/assembly/**'] },
  },
});
