/** Tunnels in the tunnel: WireGuard messages inside, to the very endpoint that the messages around them go to. */
import type { Endpoint } from '../../base/address.ts';
import { u8, u32le } from '../../base/bytes.ts';
import { addressText } from '../../wg/inner-packet.ts';
import { shapeOf } from '../classify.ts';
import type { Seen, Session } from '../timeline.ts';
import { isAddress } from './flow.ts';
import type { InnerEnd, Nested } from './pair.ts';
import type { InnerReader } from './read.ts';

const NESTED_LIMIT = 8;
const EVIDENCE = 12;

/** A WireGuard message (wp §5.4) to where the message that carries it goes. */
export function looksNested({ packet, payloadAt, destinationPort }: InnerReader, { ip, port }: Endpoint): boolean {
  const type = u8(packet.payload, payloadAt);
  if (type < 1 || type > 4 || destinationPort !== port) return false;
  return isAddress(ip, packet.header, packet.sourceAt + packet.addressBytes, packet.addressBytes);
}

export function noteNested(end: InnerEnd, reader: InnerReader, session: Session, { at, from, to }: Seen): void {
  const { packet, payloadAt, payloadEnd, sourcePort } = reader;
  const bytes = packet.payload.subarray(payloadAt, payloadEnd);
  const shape = shapeOf(bytes, bytes.length);
  if (shape?.fits !== true || shape.reserved !== 0) return;
  const index = u32le(bytes, shape.kind === 'response' ? 8 : 4);
  const { header, sourceAt: source, addressBytes } = packet;
  const ofSender = sourcePort === from.port && isAddress(from.ip, header, source, addressBytes);
  const own = ofSender || index === session.initiatorIndex || index === session.responderIndex;
  let known: Nested | undefined = end.nested.find((one) => one.message === shape.kind && one.own === own);
  if (known === undefined) {
    if (end.nested.length >= NESTED_LIMIT) return;
    const text = `${addressText(header, source)}:${sourcePort}`;
    known = { message: shape.kind, own, from: text, to: to.text, count: 0, frames: [] };
    end.nested.push(known);
  }
  known.count++;
  if (known.frames.length < EVIDENCE) known.frames.push(at);
}
