/** The summary line counts what failed outside of tests as well. */

import { expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';
import { summary } from './plain-reporter.ts';

interface Shape {
  readonly tests: readonly ('passed' | 'failed' | 'skipped' | 'pending')[];
  readonly errors?: number;
  readonly suiteErrors?: number;
}

function module({ tests, errors = 0, suiteErrors = 0 }: Shape): TestModule {
  const some = (count: number) => Array.from({ length: count }, () => ({ message: 'boom' }));
  const shape = {
    errors: () => some(errors),
    children: {
      allTests: () => tests.map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => some(suiteErrors) }],
    },
  };
  return shape as unknown as TestModule;
}

test.each<[string, readonly Shape[], number, string]>([
  ['nothing', [], 0, '0 passed, 0 failed, 0 skipped'],
  ['states', [{ tests: ['passed', 'failed'] }, { tests: ['skipped', 'passed'] }], 0, '2 passed, 1 failed, 1 skipped'],
  ['a file that does not load', [{ tests: [], errors: 1 }], 0, '0 passed, 1 failed, 0 skipped'],
  ['a hook that throws', [{ tests: ['skipped'], suiteErrors: 1 }], 0, '0 passed, 1 failed, 1 skipped'],
  ['an error outside of everything', [{ tests: ['passed'] }], 1, '1 passed, 1 failed, 0 skipped'],
  ['a test that never ended', [{ tests: ['pending'] }], 0, '0 passed, 0 failed, 1 skipped'],
])('%s', (_, modules, unhandled, wanted) => {
  const errors = Array.from({ length: unhandled }, () => ({ message: 'boom' }));
  expect(summary(modules.map(module), errors)).toBe(wanted);
});
