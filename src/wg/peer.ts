/** One configured peer: its keys, where it is, its sessions, timers, waiting packets and figures. */
import type { Endpoint } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, copy } from '../base/bytes.ts';
import { type PresharedKey, type PublicKey, presharedKey, publicKey, ZERO_PSK } from '../base/keys.ts';
import type { Time } from '../base/time.ts';
import type { Crypto } from '../crypto/port.ts';
import { CookieJar } from './cookie-secret.ts';
import type { Timed } from './deadlines.ts';
import type { PeerId } from './drop.ts';
import { HandshakeState } from './handshake-state.ts';
import { Keyring } from './keyring.ts';
import { cookieKey, mac1Key } from './mac.ts';
import type { Policy } from './policy.ts';
import type { Random } from './random.ts';
import type { Verdict } from './step.ts';
import { Timers } from './timers.ts';
import { FRESH_GATE, type TimestampGate } from './timestamp-gate.ts';

/** The verdicts that say the same of each packet, made once. */
export interface Accepted {
  readonly initiation: Verdict;
  readonly response: Verdict;
  readonly 'cookie-reply': Verdict;
  readonly data: Verdict;
  readonly keepalive: Verdict;
  readonly packet: Verdict;
}

export class Peer implements Timed {
  readonly id: PeerId;
  readonly publicKey: PublicKey;
  readonly accepted: Accepted;
  /** Of MACs on messages to the peer, and of cookie replies from it. */
  readonly mac1Key: Bytes;
  readonly cookieKey: Bytes;
  /** DH of the two static keys; undefined when it is all zero, or there is no private key. */
  ss: Bytes | undefined;
  psk: PresharedKey = ZERO_PSK;
  endpoint: Endpoint | undefined;
  /** Our own address that the peer's last authentic message went to. */
  local: Endpoint | undefined;
  /** Of the initiations accepted from it; outlives everything but the peer itself (wp §5.1). */
  gate: TimestampGate = FRESH_GATE;
  readonly handshake: HandshakeState;
  readonly keyring = new Keyring();
  readonly timers: Timers;
  readonly jar = new CookieJar();
  /** Packets that wait for a session, oldest first; an empty one is a keepalive. */
  readonly staged: Bytes[] = [];
  /** An initiator's initiation at 165 s goes once a session (wp §6.2). */
  sentLastMinute = false;
  receivedBytes = 0;
  sentBytes = 0;
  latestHandshake: Time | undefined;
  heapAt = -1;

  constructor(crypto: Crypto, random: Random, policy: Policy, key: PublicKey) {
    this.publicKey = publicKey(copy(key));
    this.id = toBase64(key);
    this.mac1Key = mac1Key(crypto, key);
    this.cookieKey = cookieKey(crypto, key);
    this.handshake = new HandshakeState(policy.keepsEarlierInitiation);
    this.timers = new Timers(policy, random);
    const accepted = (message: keyof Accepted): Verdict => ({ kind: 'accepted', message, peer: this.id });
    this.accepted = {
      initiation: accepted('initiation'),
      response: accepted('response'),
      'cookie-reply': accepted('cookie-reply'),
      data: accepted('data'),
      keepalive: accepted('keepalive'),
      packet: accepted('packet'),
    };
  }

  get earliestMs(): number {
    return this.timers.earliestMs;
  }

  setPsk(psk: PresharedKey): void {
    if (this.psk !== ZERO_PSK) this.psk.fill(0);
    this.psk = presharedKey(copy(psk));
  }

  /** When it is removed. Sessions and handshakes are the device's to wipe. */
  wipe(): void {
    if (this.psk !== ZERO_PSK) this.psk.fill(0);
    this.ss?.fill(0);
    this.staged.length = 0;
  }
}
