/** What the captures and configurations hold, before anything is written: messages, addresses, who writes to whom. */
import type { IpBytes, Prefix } from '../../base/address.ts';
import { type Bytes, copy, toHex } from '../../base/bytes.ts';
import type { Decoded } from '../../packet/datagram.ts';
import { shapeOf } from '../classify.ts';
import type { KeySet } from '../key-set.ts';
import type { Met } from './addresses.ts';
import type { HandshakeKind } from './handshakes.ts';
import { flowText } from './packets.ts';

export class Learned {
  readonly flows = new Set<string>();
  /** By their bytes, in the order of their coming. */
  readonly messages = new Map<string, { readonly kind: HandshakeKind; readonly bytes: Bytes }>();
  readonly #ips = new Map<string, IpBytes>();

  add(decoded: Decoded): void {
    if (decoded.kind === 'skip') return;
    if (decoded.kind === 'icmp-error') {
      for (const ip of [decoded.from, decoded.to, decoded.quoted.from.ip, decoded.quoted.to.ip]) this.#met(ip);
      return;
    }
    const { from, to, bytes, length } = decoded;
    this.#met(from.ip);
    this.#met(to.ip);
    const shape = shapeOf(bytes, length);
    if (shape === undefined || shape.reserved !== 0) return;
    this.flows.add(flowText(from.text, to.text));
    if (!shape.fits || shape.kind === 'data' || bytes.length < length) return;
    const text = toHex(bytes);
    if (!this.messages.has(text)) this.messages.set(text, { kind: shape.kind, bytes: copy(bytes) });
  }

  /** With what the configurations name. */
  met({ confs }: KeySet): Met {
    const prefixes: Prefix[] = [];
    for (const { conf } of confs) {
      for (const { value } of conf.interface.addresses) prefixes.push(value);
      for (const { value } of conf.interface.dns) this.#met(value);
      for (const { allowedIps, endpoint } of conf.peers) {
        for (const { value } of allowedIps) prefixes.push(value);
        if (endpoint?.value.ip !== undefined) this.#met(endpoint.value.ip);
      }
    }
    for (const { ip } of prefixes) this.#met(ip);
    return { ips: [...this.#ips.values()], prefixes };
  }

  #met(ip: IpBytes): void {
    this.#ips.set(toHex(ip), ip);
  }
}
