/** What each implementation writes when it takes or refuses a message, by our verdict (protocol: drivers/net/wireguard, wireguard-go). */
import type { Drop, DropKind } from '../../../src/wg/drop.ts';
import type { Verdict } from '../../../src/wg/step.ts';
import type { LineKind, RemoteKind } from './lines.ts';

type Lines = readonly LineKind[];
type Both = Readonly<Record<RemoteKind, Lines>>;

const SILENT: Lines = [];
const same = (...lines: Lines): Both => ({ linux: lines, 'wireguard-go': lines });
const differ = (linux: Lines, go: Lines): Both => ({ linux, 'wireguard-go': go });

/** Eight reasons, one line. */
const INITIATION_INVALID = same('initiation-invalid');

/** Of what arrives. `undefined`: not to be brought about from outside, or only when sending. */
export const LINES_OF_DROP: Readonly<Record<DropKind, Both | undefined>> = {
  'too-short': same(),
  'unknown-type': differ(SILENT, ['type-unknown']),
  'reserved-nonzero': differ(SILENT, ['type-unknown']),
  'length-mismatch': same(),
  'handshake-queue-full': differ(['queue-full'], SILENT),
  // MAC1 is looked at all the same, with a key that nobody has
  'no-private-key': same('mac-invalid'),
  'mac1-invalid': same('mac-invalid'),
  'cookie-demanded': same('cookie-sent'),
  // the kernel has one word for a wrong MAC and for one too many
  'rate-limited': differ(['mac-invalid'], SILENT),
  // of an initiation; see linesOf for a response
  'weak-shared-secret': INITIATION_INVALID,
  'static-unsealable': INITIATION_INVALID,
  'unknown-peer': INITIATION_INVALID,
  'timestamp-unsealable': INITIATION_INVALID,
  'timestamp-replayed': differ(['initiation-invalid'], ['initiation-replay', 'initiation-invalid']),
  'initiation-flood': differ(['initiation-invalid'], ['initiation-flood', 'initiation-invalid']),
  'response-unknown-index': same('response-invalid'),
  'response-wrong-state': undefined,
  'empty-unsealable': same('response-invalid'),
  // the kernel greets a cookie before it looks for its index
  'cookie-unknown-index': differ(['cookie-received'], SILENT),
  'cookie-without-mac1': differ(['cookie-received'], ['cookie-received', 'cookie-invalid']),
  'cookie-unsealable': same('cookie-received', 'cookie-invalid'),
  'data-unknown-index': same(),
  'data-queue-full': undefined,
  'data-unsealable': same(),
  'data-key-expired': undefined,
  // wireguard-go asks only the window
  'data-key-spent': same(),
  'counter-exhausted': differ(['nonce-invalid'], SILENT),
  'counter-replayed': differ(['nonce-invalid'], SILENT),
  'counter-too-old': differ(['nonce-invalid'], SILENT),
  'inner-too-short': differ(['not-ip'], SILENT),
  'inner-version': same('not-ip'),
  'inner-length': differ(['size-wrong'], SILENT),
  'source-not-allowed': same('source-refused'),
  'not-ip': undefined,
  'no-allowed-ip': undefined,
  'no-endpoint': undefined,
  'staged-overflow': undefined,
  'handshake-suppressed': undefined,
  'handshake-gave-up': undefined,
  'socket-error': undefined,
  'peer-is-self': undefined,
};

const LINES_OF_ACCEPTED: Readonly<Record<Extract<Verdict, { kind: 'accepted' }>['message'], Both>> = {
  initiation: same('initiation-received', 'response-sent'),
  response: same('response-received'),
  'cookie-reply': same('cookie-received'),
  data: same(),
  keepalive: same('keepalive-received'),
  packet: same(),
};

function linesOfDrop(remote: RemoteKind, drop: Drop): Lines {
  const ofResponse = drop.kind === 'weak-shared-secret' && (drop.token === 'ee' || drop.token === 'se');
  const lines = ofResponse ? same('response-invalid') : LINES_OF_DROP[drop.kind];
  if (lines === undefined) throw new Error(`no line is known for ${drop.kind}`);
  return lines[remote];
}

/** What the other implementation must have written, when we judge a datagram so. */
export function linesOf(remote: RemoteKind, verdict: Verdict): Lines {
  if (verdict.kind === 'refused') return linesOfDrop(remote, verdict.drop);
  return verdict.kind === 'accepted' ? LINES_OF_ACCEPTED[verdict.message][remote] : SILENT;
}
