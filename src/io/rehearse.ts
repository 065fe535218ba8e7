/** Both ends' configurations at hand: the handshake played through in memory by the engine itself, before anything is sent. */
import { endpoint } from '../base/address.ts';
import { equal, isZero } from '../base/bytes.ts';
import { type PublicKey, ZERO_PSK } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import type { WgConf, WgPeer } from '../config/wg-conf.ts';
import type { Crypto } from '../crypto/port.ts';
import { Device } from '../wg/device.ts';
import type { Drop } from '../wg/drop.ts';
import type { Random } from '../wg/random.ts';
import type { Step } from '../wg/step.ts';
import type { ProbeTarget } from './probe.ts';

export type Fault =
  /** The initiation is made for some other key than the responder's. */
  | { readonly kind: 'other-key'; readonly expected: PublicKey; readonly actual: PublicKey }
  /** The responder has no peer with our key. */
  | { readonly kind: 'unknown-peer'; readonly ours: PublicKey }
  | { readonly kind: 'psk-differs'; readonly ours: boolean; readonly theirs: boolean }
  | { readonly kind: 'other-port'; readonly ours: number; readonly theirs: number }
  /** Whatever else the engine says; none is known that configurations could bring about. */
  | { readonly kind: 'refused'; readonly by: 'responder' | 'initiator'; readonly drop: Drop };

export interface Rehearsal {
  readonly faults: readonly Fault[];
  /** The responder's `[Peer]` with our key. */
  readonly peer: WgPeer | undefined;
}

const SOMEWHERE = endpoint(Uint8Array.of(192, 0, 2, 1), 1);

/** A responder's configuration has a private key; without one there is nothing to rehearse. */
export function rehearse(
  { crypto, random }: { readonly crypto: Crypto; readonly random: Random },
  target: ProbeTarget,
  responder: WgConf,
  port: number | undefined,
  now: Now,
): Rehearsal | undefined {
  const secret = responder.interface.privateKey?.value;
  if (secret === undefined) return undefined;
  const ours = crypto.publicKey(target.secret);
  const theirs = crypto.publicKey(secret);
  const peer = responder.peers.find(({ publicKey }) => publicKey !== undefined && equal(publicKey.value, ours));
  const faults: Fault[] = [];
  const listens = responder.interface.listenPort?.value ?? 0;
  if (port !== undefined && listens !== 0 && listens !== port) {
    faults.push({ kind: 'other-port', ours: port, theirs: listens });
  }

  const one = new Device({ crypto, random });
  const other = new Device({ crypto, random });
  one.handle({ kind: 'configure', change: 'private-key', privateKey: target.secret }, now);
  other.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, now);
  const psk = peer?.presharedKey?.value ?? ZERO_PSK;
  if (peer !== undefined) {
    other.handle({ kind: 'configure', change: 'peer', publicKey: ours, presharedKey: psk }, now);
  }
  const { publicKey, psk: presharedKey } = target;
  const begun = one.handle(
    {
      kind: 'configure',
      change: 'peer',
      publicKey,
      presharedKey,
      endpoint: SOMEWHERE,
      persistentKeepalive: 1,
    },
    now,
  );
  const answered = pass(begun, other, now);
  const refused = answered === undefined ? undefined : refusal(answered);
  if (refused?.kind === 'mac1-invalid') faults.push({ kind: 'other-key', expected: theirs, actual: publicKey });
  if (refused?.kind === 'unknown-peer' || (peer === undefined && refused?.kind === 'mac1-invalid')) {
    faults.push({ kind: 'unknown-peer', ours });
  }
  if (refused !== undefined && refused.kind !== 'mac1-invalid' && refused.kind !== 'unknown-peer') {
    faults.push({ kind: 'refused', by: 'responder', drop: refused });
  }
  const closed = answered === undefined ? undefined : pass(answered, one, now);
  const unopened = closed === undefined ? undefined : refusal(closed);
  if (
    unopened?.kind === 'empty-unsealable' ||
    (refused?.kind === 'mac1-invalid' && peer && !equal(psk, presharedKey))
  ) {
    faults.push({ kind: 'psk-differs', ours: !isZero(presharedKey), theirs: !isZero(psk) });
  } else if (unopened !== undefined) faults.push({ kind: 'refused', by: 'initiator', drop: unopened });

  for (const device of [one, other]) {
    for (const status of device.peers()) {
      device.handle({ kind: 'configure', change: 'remove-peer', publicKey: status.publicKey }, now);
    }
    device.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, now);
  }
  return { faults, peer };
}

/** The first message that a step sends, taken to the other side. */
function pass({ effects }: Step, to: Device, now: Now): Step | undefined {
  const sent = effects.find((effect) => effect.kind === 'send');
  return sent === undefined ? undefined : to.handle({ kind: 'datagram', from: SOMEWHERE, bytes: sent.bytes }, now);
}

const refusal = ({ verdict }: Step): Drop | undefined => (verdict.kind === 'refused' ? verdict.drop : undefined);

/**
 * Whether it is the configuration of the end that is asked: it has that key, or has us as a peer, or is some third end's
 * that does not ask the same responder itself.
 */
export function isResponder(crypto: Crypto, target: ProbeTarget, { interface: own, peers }: WgConf): boolean {
  const secret = own.privateKey?.value;
  if (secret === undefined || equal(secret, target.secret)) return false;
  const ours = crypto.publicKey(target.secret);
  const has = (key: PublicKey): boolean => peers.some(({ publicKey }) => publicKey && equal(publicKey.value, key));
  return equal(crypto.publicKey(secret), target.publicKey) || has(ours) || !has(target.publicKey);
}
