/** Runs before each test file; what it imports runs once for each worker. */
import './equal-bytes.ts';
import './seed.ts';
