/** Every rule, root causes first: where two findings are equal in severity, this order decides which stands first. */
import type { AnyRule } from './rule.ts';
import { allowedipsMissingAddress } from './rules/allowedips-missing-address.ts';
import { allowedipsOverlap } from './rules/allowedips-overlap.ts';
import { captureDamaged } from './rules/capture-damaged.ts';
import { captureOneSided } from './rules/capture-one-sided.ts';
import { captureTruncated } from './rules/capture-truncated.ts';
import { clockSkew } from './rules/clock-skew.ts';
import { cookieIgnored } from './rules/cookie-ignored.ts';
import { cookieUnsealable } from './rules/cookie-unsealable.ts';
import { crossingInitiations } from './rules/crossing-initiations.ts';
import { dataAfterExpiry } from './rules/data-after-expiry.ts';
import { duplicateFrames } from './rules/duplicate-frames.ts';
import { duplicateIdentity } from './rules/duplicate-identity.ts';
import { endpointPortMismatch } from './rules/endpoint-port-mismatch.ts';
import { endpointRoamed } from './rules/endpoint-roamed.ts';
import { handshakeGaveUp } from './rules/handshake-gave-up.ts';
import { handshakeLostPeriodically } from './rules/handshake-lost-periodically.ts';
import { handshakeNotCaptured } from './rules/handshake-not-captured.ts';
import { handshakeRetried } from './rules/handshake-retried.ts';
import { icmpUnreachable } from './rules/icmp-unreachable.ts';
import { idleNoAttempt } from './rules/idle-no-attempt.ts';
import { initiationFlood } from './rules/initiation-flood.ts';
import { initiationLostOnPath } from './rules/initiation-lost-on-path.ts';
import { initiationNeverArrives } from './rules/initiation-never-arrives.ts';
import { initiationReplayed } from './rules/initiation-replayed.ts';
import { keepaliveOnly } from './rules/keepalive-only.ts';
import { keyChanged } from './rules/key-changed.ts';
import { keyMismatch } from './rules/key-mismatch.ts';
import { keyMissing } from './rules/key-missing.ts';
import { keyRoleSwap } from './rules/key-role-swap.ts';
import { logRefusal } from './rules/log-refusal.ts';
import { mac2Invalid } from './rules/mac2-invalid.ts';
import { malformedMessage } from './rules/malformed-message.ts';
import { modifiedInTransit } from './rules/modified-in-transit.ts';
import { mtuBlackhole } from './rules/mtu-blackhole.ts';
import { natMappingExpired } from './rules/nat-mapping-expired.ts';
import { noResponse } from './rules/no-response.ts';
import { notWireguard } from './rules/not-wireguard.ts';
import { obfuscated } from './rules/obfuscated.ts';
import { outerFragmentation } from './rules/outer-fragmentation.ts';
import { packetLoss } from './rules/packet-loss.ts';
import { packetReplayed } from './rules/packet-replayed.ts';
import { packetTooOld } from './rules/packet-too-old.ts';
import { packetUnsealable } from './rules/packet-unsealable.ts';
import { pathFiltered } from './rules/path-filtered.ts';
import { peerHeaderMissing } from './rules/peer-header-missing.ts';
import { peerRestarted } from './rules/peer-restarted.ts';
import { peerWentAway } from './rules/peer-went-away.ts';
import { pskDiffers } from './rules/psk-differs.ts';
import { pskMismatch } from './rules/psk-mismatch.ts';
import { rekeyFailed } from './rules/rekey-failed.ts';
import { replyFromOtherAddress } from './rules/reply-from-other-address.ts';
import { responderSilent } from './rules/responder-silent.ts';
import { responseLate } from './rules/response-late.ts';
import { responseLostOnPath } from './rules/response-lost-on-path.ts';
import { responseUnexpected } from './rules/response-unexpected.ts';
import { responseUnsealable } from './rules/response-unsealable.ts';
import { sessionUnconfirmed } from './rules/session-unconfirmed.ts';
import { staticUnsealable } from './rules/static-unsealable.ts';
import { timestampReplayed } from './rules/timestamp-replayed.ts';
import { timestampSuspect } from './rules/timestamp-suspect.ts';
import { timestampUnsealable } from './rules/timestamp-unsealable.ts';
import { underLoadCookie } from './rules/under-load-cookie.ts';
import { unknownInitiator } from './rules/unknown-initiator.ts';
import { weakSharedSecret } from './rules/weak-shared-secret.ts';
import { wrongResponderKey } from './rules/wrong-responder-key.ts';

export const rules: readonly AnyRule[] = [
  modifiedInTransit,
  wrongResponderKey,
  unknownInitiator,
  staticUnsealable,
  timestampUnsealable,
  weakSharedSecret,
  timestampReplayed,
  initiationFlood,
  pskMismatch,
  responseUnsealable,
  responseLate,
  cookieUnsealable,
  mac2Invalid,
  cookieIgnored,
  icmpUnreachable,
  duplicateIdentity,
  crossingInitiations,
  natMappingExpired,
  initiationLostOnPath,
  responseLostOnPath,
  mtuBlackhole,
  handshakeLostPeriodically,
  replyFromOtherAddress,
  rekeyFailed,
  responderSilent,
  sessionUnconfirmed,
  malformedMessage,
  noResponse,
  keyChanged,
  timestampSuspect,
  underLoadCookie,
  pathFiltered,
  peerRestarted,
  packetUnsealable,
  dataAfterExpiry,
  outerFragmentation,
  packetLoss,
  initiationReplayed,
  initiationNeverArrives,
  peerWentAway,
  endpointRoamed,
  keepaliveOnly,
  handshakeRetried,
  handshakeGaveUp,
  responseUnexpected,
  clockSkew,
  packetReplayed,
  packetTooOld,
  captureTruncated,
  captureDamaged,
  obfuscated,
  notWireguard,
  idleNoAttempt,
  keyMissing,
  handshakeNotCaptured,
  captureOneSided,
  duplicateFrames,
  keyMismatch,
  pskDiffers,
  peerHeaderMissing,
  keyRoleSwap,
  endpointPortMismatch,
  allowedipsMissingAddress,
  allowedipsOverlap,
  logRefusal,
];
