/** Where another implementation is known to do otherwise than our engine under its policy says, and why. */
import type { RemoteKind } from '../peers/lines.ts';
import type { Difference } from './stage.ts';

interface Known {
  readonly kind: RemoteKind;
  readonly why: string;
  fits(difference: Difference): boolean;
}

const refused = ({ verdict }: Difference): string | undefined =>
  verdict?.kind === 'refused' ? verdict.drop.kind : undefined;

const silent = ({ theirs }: Difference): boolean => theirs.lines.length === 0 && theirs.replies.length === 0;

/** Its receive.go looks at no datagram below MinMessageSize, and says nothing of it. */
const GO_LEAST_BYTES = 32;

const KNOWN: readonly Known[] = [
  {
    kind: 'wireguard-go',
    why: 'shorter than any message, it is thrown away before its type is read',
    fits: (one) =>
      one.bytes.length < GO_LEAST_BYTES && /^(unknown-type|reserved-nonzero)$/.test(refused(one) ?? '') && silent(one),
  },
  {
    kind: 'wireguard-go',
    why: 'it asks for the IP version before the length, so a short packet can have a wrong version',
    fits: (one) => refused(one) === 'inner-too-short' && one.theirs.lines.join() === 'not-ip',
  },
];

/** It counts what it opened, whatever was in it; the kernel, and we, what was taken. */
export const COUNTS_WHAT_IT_OPENED: RemoteKind = 'wireguard-go';

export const KNOWN_REASONS: readonly string[] = KNOWN.map(({ why }) => why);

/** Why this is no defect; undefined for what nobody can explain. */
export function explained(difference: Difference): string | undefined {
  return KNOWN.find((known) => known.kind === difference.kind && known.fits(difference))?.why;
}
