/** Each refusal of a running tunnel as a sentence, and what can be done about it: what every implementation keeps to itself. */
import { formatTime } from '../base/time.ts';
import { INITIATION_MIN_GAP_MS } from '../wg/constants.ts';
import type { Drop, MessageKind } from '../wg/drop.ts';
import { type Tai64n, unixTime } from '../wg/tai64n.ts';

export interface DropWords {
  readonly what: string;
  /** Undefined where nothing has to be done. */
  readonly fix?: string;
}

/** How keys are shown: with the name that the configuration gives them. */
export type PeerName = (publicKey: string) => string;

const SECOND_MS = 1000;
const seconds = (ms: number): string => `${(ms / SECOND_MS).toFixed(1)} s`;

/** As the kernel makes them; a sender with another base is 27 s off, which does not matter here. */
const stamped = (t: Tai64n): string => formatTime(unixTime(t, 10)).slice(0, 23);

const messageName = (kind: MessageKind): string => (kind === 'data' ? 'data message' : kind.replace('-', ' '));

const OTHER_PROGRAM = 'something else sends to this port; WireGuard stays silent on purpose';
const STALE =
  'it ends with the next handshake; if it goes on, the other end has lost track of its sessions: restart it';

export function dropInWords(drop: Drop, name: PeerName, identity: (key: Uint8Array) => string): DropWords {
  switch (drop.kind) {
    case 'too-short':
      return { what: `${drop.actual} bytes are too few for any WireGuard message`, fix: OTHER_PROGRAM };
    case 'unknown-type':
      return { what: `type ${drop.type} is no WireGuard message`, fix: OTHER_PROGRAM };
    case 'reserved-nonzero':
      return {
        what: `the three reserved bytes of this ${messageName(drop.message)} are ${drop.reserved.join(', ')} and not 0`,
        fix: 'the other end, or a relay on the way, speaks a disguised variant (WARP, AmneziaWG): turn that off, or use it at both ends',
      };
    case 'length-mismatch':
      return {
        what: `this ${messageName(drop.message)} has ${drop.actual} bytes and should have ${drop.expected}`,
        fix: 'something on the way cuts or pads datagrams, or the other end speaks a variant',
      };
    case 'handshake-queue-full':
      return {
        what: `${drop.depth} handshakes wait already: this machine is flooded`,
        fix: 'limit UDP to this port by source',
      };
    case 'no-private-key':
      return {
        what: 'this interface has no private key, so nothing can be answered',
        fix: 'wg set INTERFACE private-key FILE',
      };
    case 'mac1-invalid':
      return {
        what: 'made for another public key than ours: its MAC1 does not fit',
        fix: 'at the sender: the PublicKey of its [Peer] section must be the one of this interface',
      };
    case 'cookie-demanded':
      return {
        what:
          drop.mac2 === 'absent'
            ? 'this machine is under load: a cookie went back instead of an answer'
            : 'this machine is under load and the MAC2 does not fit: a fresh cookie went back',
      };
    case 'rate-limited':
      return { what: `${drop.source} sends more handshakes than are answered under load (20 a second)` };
    case 'weak-shared-secret':
      return {
        what: `a key exchange (${drop.token}) gave zero: one of the public keys is no real key`,
        fix: 'make a new key pair there',
      };
    case 'static-unsealable':
      return {
        what: 'MAC1 fits but the sealed static key does not open: forged, or altered on the way',
        fix: 'compare a capture of the other end',
      };
    case 'unknown-peer':
      return {
        what: `the initiator ${identity(drop.identity)} is not a peer here`,
        fix: `wg set INTERFACE peer ${identity(drop.identity)} allowed-ips …, if it should be one`,
      };
    case 'timestamp-unsealable':
      return { what: `the timestamp of ${name(identity(drop.identity))} does not open: forged, or altered on the way` };
    case 'timestamp-replayed':
      return {
        what: `${name(identity(drop.identity))} says it is ${stamped(drop.received)}, but was at ${stamped(drop.greatest)} before`,
        fix: 'its clock went back, or two machines share this key, or it is a replay: set its clock, give each machine a key of its own; restarting this interface forgets the old time',
      };
    case 'initiation-flood':
      return {
        what: `initiations of ${name(identity(drop.identity))} follow each other by ${Math.round(drop.gapMs)} ms: all but one in ${INITIATION_MIN_GAP_MS} ms are dropped`,
      };
    case 'response-unknown-index':
      return { what: 'a response to a handshake that is not going on any more: it came too late, or twice' };
    case 'response-wrong-state':
      return { what: 'a response to a handshake that is already done: a duplicate' };
    case 'empty-unsealable':
      return {
        what: 'the response does not open: the preshared keys differ',
        fix: 'the same PresharedKey at both ends, or none at both',
      };
    case 'cookie-unknown-index':
      return { what: 'a cookie for a handshake that is not going on: it came too late, or is forged' };
    case 'cookie-without-mac1':
      return { what: 'a cookie for a message that was not sent: forged, or a second one' };
    case 'cookie-unsealable':
      return { what: 'the cookie does not open: it is not from this peer, or answers another message' };
    case 'data-unknown-index':
      return {
        what: 'data for a session that is not here: this end was restarted, or the session has ended',
        fix: 'the other end notices within 15 s and begins a new handshake, if it knows an endpoint for us',
      };
    case 'data-queue-full':
      return { what: `${drop.depth} packets of this peer wait already: more comes than this machine can open` };
    case 'data-unsealable':
      return {
        what: 'data that does not open: forged, or altered on the way',
        fix: 'compare a capture of the other end',
      };
    case 'data-key-expired':
      return { what: `data under a key that is ${seconds(drop.ageMs)} old, and 180 s are the limit`, fix: STALE };
    case 'data-key-spent':
      return { what: 'this session has taken its last packet number, and takes nothing more', fix: STALE };
    case 'counter-exhausted':
      return { what: 'a packet number past the last one that a session may use', fix: STALE };
    case 'counter-replayed':
      return { what: 'a packet that came already: duplicated on the way, or a replay' };
    case 'counter-too-old':
      return { what: `a packet ${drop.behind} behind the newest one: it was overtaken by more than the window holds` };
    case 'inner-too-short':
      return { what: `inside is a packet of ${drop.actual} bytes, less than an IP header` };
    case 'inner-version':
      return { what: `inside is something of IP version ${drop.version}` };
    case 'inner-length':
      return { what: `the packet inside says it has ${drop.claimed} bytes, and ${drop.actual} came` };
    case 'source-not-allowed':
      return {
        what:
          drop.owner === undefined
            ? `${name(drop.peer)} sent a packet from ${drop.source}, which is in nobody's AllowedIPs`
            : `${name(drop.peer)} sent a packet from ${drop.source}, which belongs to ${name(drop.owner)}`,
        fix: `AllowedIPs of ${name(drop.peer)} must cover ${drop.source}, or the other end must not send from it (masquerade)`,
      };
    case 'not-ip':
      return { what: `a packet of ${drop.actual} bytes from this machine is no IP packet` };
    case 'no-allowed-ip':
      return {
        what: `a packet to ${drop.destination} was routed here, but no peer has that address in its AllowedIPs`,
        fix: `add it to AllowedIPs of the peer that is meant, or take the route to ${drop.destination} away`,
      };
    case 'no-endpoint':
      return {
        what: `${name(drop.peer)} has no endpoint: where to send is not known`,
        fix: 'set Endpoint here, or wait until that peer begins the handshake',
      };
    case 'staged-overflow':
      return {
        what: `more than ${drop.limit} packets wait for a session with ${name(drop.peer)}: the ${drop.dropped} is lost`,
      };
    case 'handshake-suppressed':
      return {
        what: `no new initiation to ${name(drop.peer)}: the last one is ${seconds(drop.sinceMs)} old, and 5 s have to pass`,
      };
    case 'handshake-gave-up':
      return {
        what: `${name(drop.peer)} did not answer ${drop.initiations} initiations: given up, ${drop.staged} waiting packets are lost`,
        fix: 'wgwhy probe asks it; a capture (--pcap) shows what comes back',
      };
    case 'socket-error':
      return {
        what: `to ${drop.to} nothing can be sent (${drop.error})`,
        fix: 'ip route get ADDRESS; nft list ruleset',
      };
    case 'peer-is-self':
      return {
        what: `${name(drop.peer)} has our own key`,
        fix: 'the PublicKey of the other end belongs there',
      };
  }
}
