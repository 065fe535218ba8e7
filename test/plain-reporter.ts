/** Prints `N passed, N failed, N skipped` alone on a line after the run, for scripts. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** A file that does not load, or a hook that throws, fails even where no test of it does. */
function countModule(module: TestModule, totals: Totals): void {
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') totals.passed++;
    else if (state === 'failed') totals.failed++;
    else totals.skipped++;
  }
  totals.failed += module.errors().length;
  for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
}

export function summary(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): string {
  const totals: Totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) countModule(module, totals);
  return `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`;
}

/** vitest asks for a class as the default export. */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    process.stdout.write(`\n${summary(modules, unhandledErrors)}\n`);
  }
}
