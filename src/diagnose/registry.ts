/** Every rule, root causes first: where two findings are equal in severity, this order decides which stands first. */
import type { AnyRule } from './rule.ts';
import { addressDuplicate } from './rules/address-duplicate.ts';
import { allowedipsMissingAddress } from './rules/allowedips-missing-address.ts';
import { allowedipsMissingLan } from './rules/allowedips-missing-lan.ts';
import { allowedipsNested } from './rules/allowedips-nested.ts';
import { allowedipsOverlap } from './rules/allowedips-overlap.ts';
import { captureDamaged } from './rules/capture-damaged.ts';
import { captureOneSided } from './rules/capture-one-sided.ts';
import { captureTruncated } from './rules/capture-truncated.ts';
import { cidrHostBits } from './rules/cidr-host-bits.ts';
import { clockSkew } from './rules/clock-skew.ts';
import { cookieIgnored } from './rules/cookie-ignored.ts';
import { cookieUnsealable } from './rules/cookie-unsealable.ts';
import { counterExhausted } from './rules/counter-exhausted.ts';
import { countersNeverReceived } from './rules/counters-never-received.ts';
import { countersUnconfirmed } from './rules/counters-unconfirmed.ts';
import { crossingInitiations } from './rules/crossing-initiations.ts';
import { dataAfterExpiry } from './rules/data-after-expiry.ts';
import { dnsOutsideTunnel } from './rules/dns-outside-tunnel.ts';
import { dnsUnanswered } from './rules/dns-unanswered.ts';
import { duplicateFrames } from './rules/duplicate-frames.ts';
import { duplicateIdentity } from './rules/duplicate-identity.ts';
import { endpointAddressMismatch } from './rules/endpoint-address-mismatch.ts';
import { endpointCgnat } from './rules/endpoint-cgnat.ts';
import { endpointLoopsIntoTunnel } from './rules/endpoint-loops-into-tunnel.ts';
import { endpointOnServer } from './rules/endpoint-on-server.ts';
import { endpointPortMismatch } from './rules/endpoint-port-mismatch.ts';
import { endpointPrivateAddress } from './rules/endpoint-private-address.ts';
import { endpointRoamed } from './rules/endpoint-roamed.ts';
import { endpointStale } from './rules/endpoint-stale.ts';
import { forwardRuleMissing } from './rules/forward-rule-missing.ts';
import { handshakeGaveUp } from './rules/handshake-gave-up.ts';
import { handshakeLostPeriodically } from './rules/handshake-lost-periodically.ts';
import { handshakeNotCaptured } from './rules/handshake-not-captured.ts';
import { handshakeRetried } from './rules/handshake-retried.ts';
import { handshakeStale } from './rules/handshake-stale.ts';
import { icmpUnreachable } from './rules/icmp-unreachable.ts';
import { idleNoAttempt } from './rules/idle-no-attempt.ts';
import { initiationFlood } from './rules/initiation-flood.ts';
import { initiationLostOnPath } from './rules/initiation-lost-on-path.ts';
import { initiationNeverArrives } from './rules/initiation-never-arrives.ts';
import { initiationReplayed } from './rules/initiation-replayed.ts';
import { innerInvalid } from './rules/inner-invalid.ts';
import { innerUnanswered } from './rules/inner-unanswered.ts';
import { ipForwardOff } from './rules/ip-forward-off.ts';
import { keepaliveMissingBehindNat } from './rules/keepalive-missing-behind-nat.ts';
import { keepaliveOnly } from './rules/keepalive-only.ts';
import { keyChanged } from './rules/key-changed.ts';
import { keyConfusable } from './rules/key-confusable.ts';
import { keyMalformed } from './rules/key-malformed.ts';
import { keyMismatch } from './rules/key-mismatch.ts';
import { keyMissing } from './rules/key-missing.ts';
import { keyRoleSwap } from './rules/key-role-swap.ts';
import { logRefusal } from './rules/log-refusal.ts';
import { mac2Invalid } from './rules/mac2-invalid.ts';
import { malformedMessage } from './rules/malformed-message.ts';
import { masqueradeMissing } from './rules/masquerade-missing.ts';
import { modifiedInTransit } from './rules/modified-in-transit.ts';
import { mssTooLarge } from './rules/mss-too-large.ts';
import { mtuBlackhole } from './rules/mtu-blackhole.ts';
import { mtuDiffers } from './rules/mtu-differs.ts';
import { mtuTooLarge } from './rules/mtu-too-large.ts';
import { natMappingExpired } from './rules/nat-mapping-expired.ts';
import { noEndpointEitherSide } from './rules/no-endpoint-either-side.ts';
import { noResponse } from './rules/no-response.ts';
import { notWireguard } from './rules/not-wireguard.ts';
import { obfuscated } from './rules/obfuscated.ts';
import { outerFragmentation } from './rules/outer-fragmentation.ts';
import { packetLoss } from './rules/packet-loss.ts';
import { packetReplayed } from './rules/packet-replayed.ts';
import { packetTooOld } from './rules/packet-too-old.ts';
import { packetUnsealable } from './rules/packet-unsealable.ts';
import { pathFiltered } from './rules/path-filtered.ts';
import { peerDuplicateKey } from './rules/peer-duplicate-key.ts';
import { peerHeaderMissing } from './rules/peer-header-missing.ts';
import { peerRestarted } from './rules/peer-restarted.ts';
import { peerWentAway } from './rules/peer-went-away.ts';
import { portForwardMissing } from './rules/port-forward-missing.ts';
import { portNotLetIn } from './rules/port-not-let-in.ts';
import { portNotListening } from './rules/port-not-listening.ts';
import { pskDiffers } from './rules/psk-differs.ts';
import { pskMismatch } from './rules/psk-mismatch.ts';
import { rekeyFailed } from './rules/rekey-failed.ts';
import { replyFromOtherAddress } from './rules/reply-from-other-address.ts';
import { responderSilent } from './rules/responder-silent.ts';
import { responseLate } from './rules/response-late.ts';
import { responseLostOnPath } from './rules/response-lost-on-path.ts';
import { responseUnexpected } from './rules/response-unexpected.ts';
import { responseUnsealable } from './rules/response-unsealable.ts';
import { rosAutoPrivateKey } from './rules/ros-auto-private-key.ts';
import { rosClock1970 } from './rules/ros-clock-1970.ts';
import { rosFloodRuleBlocksPeers } from './rules/ros-flood-rule-blocks-peers.ts';
import { rosInputRuleMissing } from './rules/ros-input-rule-missing.ts';
import { rosMssClampMissing } from './rules/ros-mss-clamp-missing.ts';
import { rosPortZero } from './rules/ros-port-zero.ts';
import { rosResponderMissing } from './rules/ros-responder-missing.ts';
import { rosRouteMissing } from './rules/ros-route-missing.ts';
import { rosRuleShadowed } from './rules/ros-rule-shadowed.ts';
import { routeOverlap } from './rules/route-overlap.ts';
import { routingLoop } from './rules/routing-loop.ts';
import { sessionUnconfirmed } from './rules/session-unconfirmed.ts';
import { sourceNotAllowed } from './rules/source-not-allowed.ts';
import { staticUnsealable } from './rules/static-unsealable.ts';
import { strayInitiations } from './rules/stray-initiations.ts';
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
  routingLoop,
  sourceNotAllowed,
  innerInvalid,
  mtuBlackhole,
  handshakeLostPeriodically,
  replyFromOtherAddress,
  rekeyFailed,
  responderSilent,
  sessionUnconfirmed,
  malformedMessage,
  noResponse,
  innerUnanswered,
  keyChanged,
  timestampSuspect,
  underLoadCookie,
  pathFiltered,
  peerRestarted,
  packetUnsealable,
  dataAfterExpiry,
  counterExhausted,
  outerFragmentation,
  dnsUnanswered,
  dnsOutsideTunnel,
  mssTooLarge,
  packetLoss,
  initiationReplayed,
  strayInitiations,
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
  keyMalformed,
  keyMismatch,
  pskDiffers,
  peerHeaderMissing,
  keyRoleSwap,
  endpointPortMismatch,
  endpointAddressMismatch,
  endpointLoopsIntoTunnel,
  noEndpointEitherSide,
  addressDuplicate,
  allowedipsMissingAddress,
  allowedipsMissingLan,
  allowedipsOverlap,
  handshakeStale,
  keyConfusable,
  peerDuplicateKey,
  cidrHostBits,
  mtuTooLarge,
  endpointStale,
  routeOverlap,
  countersNeverReceived,
  countersUnconfirmed,
  endpointPrivateAddress,
  endpointCgnat,
  mtuDiffers,
  allowedipsNested,
  keepaliveMissingBehindNat,
  endpointOnServer,
  portNotLetIn,
  portNotListening,
  rosFloodRuleBlocksPeers,
  rosPortZero,
  rosInputRuleMissing,
  rosRuleShadowed,
  rosResponderMissing,
  rosAutoPrivateKey,
  rosClock1970,
  rosRouteMissing,
  rosMssClampMissing,
  portForwardMissing,
  forwardRuleMissing,
  masqueradeMissing,
  ipForwardOff,
  logRefusal,
];
