/** What goes into a device and what comes out: nothing else passes between it and the world. */
import type { Endpoint, Prefix } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import type { Drop, MessageKind, PeerId } from './drop.ts';
import type { Role } from './session.ts';

/** A UDP payload that arrived. */
export interface DatagramInput {
  readonly kind: 'datagram';
  readonly from: Endpoint;
  /** Where it was sent to: answers leave from there. */
  readonly local?: Endpoint;
  readonly bytes: Bytes;
  /** Messages of the same sort, handshakes or this peer's data, that wait behind it: for queues and load. */
  readonly queueDepth?: number;
  /** Room for the plaintext, `bytes` itself if it is not needed any more; else the device makes some. */
  readonly out?: Bytes;
}

/** An inner IP packet to send. */
export interface PacketInput {
  readonly kind: 'packet';
  readonly bytes: Bytes;
  /**
   * Room for the message, 32 bytes and up to 15 of padding more than the packet; else the device makes some. The packet may
   * already stand in it, 16 bytes from its beginning: then nothing is copied.
   */
  readonly out?: Bytes;
}

/** Time has passed: whatever is due happens. */
export interface TickInput {
  readonly kind: 'tick';
}

/** What the socket said about an earlier `send`. */
export interface SocketErrorInput {
  readonly kind: 'socket-error';
  readonly peer: PeerId | undefined;
  readonly to: Endpoint;
  readonly error: string;
}

/** Fields that are left out stay as they are; of a peer that is not there yet, they are empty. */
export interface PeerChange {
  readonly change: 'peer';
  readonly publicKey: PublicKey;
  /** The zero PSK is none. */
  readonly presharedKey?: PresharedKey;
  readonly endpoint?: Endpoint;
  /** Added to what the peer has, and taken from any other. */
  readonly allowedIps?: readonly Prefix[];
  readonly replaceAllowedIps?: boolean;
  /** Taken from the peer before any are added; what is not exactly there and its own stays as it is. */
  readonly removeAllowedIps?: readonly Prefix[];
  /** Seconds, 0 for none. */
  readonly persistentKeepalive?: number;
}

export type Change =
  | { readonly change: 'private-key'; readonly privateKey: PrivateKey | undefined }
  | PeerChange
  | { readonly change: 'remove-peer'; readonly publicKey: PublicKey }
  /** Of the inner interface, bytes: padding never goes beyond it. */
  | { readonly change: 'mtu'; readonly mtu: number };

export type ConfigureInput = { readonly kind: 'configure' } & Change;

export type Input = DatagramInput | PacketInput | TickInput | SocketErrorInput | ConfigureInput;

export type DeviceEvent =
  /** Keys were derived; a responder may not use them before `handshake-complete`. */
  | { readonly what: 'session-derived'; readonly role: Role; readonly local: number; readonly remote: number }
  /** Both sides have the session: what `wg show` calls the latest handshake. */
  | { readonly what: 'handshake-complete'; readonly role: Role }
  | { readonly what: 'handshake-retry'; readonly retry: number }
  /** Data was sent and nothing came for 15 s. */
  | { readonly what: 'peer-silent' }
  | { readonly what: 'keys-zeroed' }
  | { readonly what: 'endpoint-learned'; readonly from: Endpoint | undefined; readonly to: Endpoint };

export type Effect =
  | {
      readonly kind: 'send';
      readonly to: Endpoint;
      /** The address to send from, where the peer is known to answer to one. */
      readonly local: Endpoint | undefined;
      /** A view of `out`, where that was given. */
      readonly bytes: Bytes;
      readonly message: MessageKind | 'keepalive';
      /** Undefined for a cookie reply, which goes to somebody nobody knows. */
      readonly peer: PeerId | undefined;
      readonly tos: number;
    }
  /** An inner packet of that peer, without its padding; a view of `out`, where that was given. */
  | { readonly kind: 'deliver'; readonly peer: PeerId; readonly bytes: Bytes }
  /** A refusal that is not the verdict on the input: of something that waited, or of something a timer wanted. */
  | { readonly kind: 'drop'; readonly drop: Drop }
  | { readonly kind: 'event'; readonly peer: PeerId; readonly event: DeviceEvent };

export type Verdict =
  /** A datagram or packet was taken; a packet may still wait for a session. */
  | { readonly kind: 'accepted'; readonly message: MessageKind | 'keepalive' | 'packet'; readonly peer: PeerId }
  | { readonly kind: 'refused'; readonly drop: Drop }
  /** Ticks and changes. */
  | { readonly kind: 'done' };

export interface Step {
  readonly verdict: Verdict;
  /** In the order in which they are to happen. */
  readonly effects: readonly Effect[];
}
