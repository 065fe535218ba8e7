/**
 * What CI says of a commit is a matter of that commit, not of chance: properties try the same cases each time there.
 * Everywhere else each run tries others; a failure prints its seed and path.
 */
import fc from 'fast-check';

if (process.env['CI'] !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 0x7767 });
