/** Which static keys the handshakes of a capture show at which ends. */
import type { Timeline } from '../analyze/timeline.ts';
import { toBase64 } from '../base/base64.ts';
import { oncePer } from '../base/once-per.ts';

export interface KeyPlaces {
  /** By the canonical name of the end that has them. */
  readonly at: ReadonlyMap<string, ReadonlySet<string>>;
  readonly shown: ReadonlySet<string>;
}

/**
 * An answer shows that the responder has the key that MAC1 is for and the initiator the one that the response names; a
 * timestamp that opens, who sent it.
 */
export const keyPlaces = oncePer<Timeline, KeyPlaces>(({ exchanges }) => {
  const at = new Map<string, Set<string>>();
  const shown = new Set<string>();
  const put = (end: string, key: string): void => {
    shown.add(key);
    const keys = at.get(end);
    if (keys === undefined) at.set(end, new Set([key]));
    else keys.add(key);
  };
  for (const { sight, responses, initiatorName, responderName } of exchanges) {
    if (sight?.identity !== undefined && sight.timestamp !== undefined) put(initiatorName, toBase64(sight.identity));
    const [response] = responses;
    if (response === undefined) continue;
    if (sight?.mac1.kind === 'known') put(responderName, sight.mac1.key.text);
    if (response.sight.mac1.kind === 'known') put(initiatorName, response.sight.mac1.key.text);
  }
  return { at, shown };
});
