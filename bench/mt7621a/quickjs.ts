/** The cases for an engine that has nothing but the language, from the entry that others import. */
import { fastest, noble } from '../../src/engine.ts';
import { run } from './cases.ts';

/** What QuickJS gives a script of its command line, its name first. */
const { scriptArgs } = globalThis as unknown as { readonly scriptArgs: readonly string[] };

run({ noble: () => fastest(noble) }, scriptArgs.slice(1));
