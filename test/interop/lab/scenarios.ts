/** Every scenario of the lab, by what becomes of the handshake and the data. */
import type { Scenario } from './scenario.ts';
import { ANSWERED } from './scenarios/answered.ts';
import { BROKEN } from './scenarios/broken.ts';
import { CARRIED } from './scenarios/carried.ts';
import { TWOFOLD } from './scenarios/twofold.ts';
import { UNANSWERED } from './scenarios/unanswered.ts';
import { GOES_WELL } from './scenarios/well.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...UNANSWERED,
  ...ANSWERED,
  ...TWOFOLD,
  ...BROKEN,
  ...CARRIED,
  ...GOES_WELL,
];
