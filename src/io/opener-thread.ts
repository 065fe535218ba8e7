/** The thread of one helper: see `openers`. */
import { workerData } from 'node:worker_threads';
import { Helper } from '../crypto/ahead/helper.ts';
import { fastestOnNode } from './fastest-crypto.ts';

new Helper(workerData as SharedArrayBuffer, fastestOnNode()).serve();
