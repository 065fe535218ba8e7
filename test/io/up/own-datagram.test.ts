/** Which inner packets are our own outer ones: those of UDP, from our port and an address of ours, to an endpoint. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Endpoint, formatIp } from '../../../src/base/address.ts';
import { outerDatagram } from '../../../src/io/up/outer-capture.ts';
import { ownDatagram } from '../../../src/io/up/own-datagram.ts';
import { at } from '../../wg/harness.ts';

const TO = ['192.0.2.2:51820', '[2001:db8::2]:51820'];
const isEndpoint = ({ text }: Endpoint): boolean => TO.includes(text);
const OWN = ['10.0.0.1', 'fd00::1'];

function datagram(from: string, to: string) {
  return outerDatagram({
    time: { sec: 0, nsec: 0 },
    direction: 'out',
    from: at(from),
    to: at(to),
    payload: new Uint8Array(148),
  });
}

const judged = (packet: Uint8Array, port = 7): string | undefined =>
  ownDatagram(packet, port, isEndpoint, (ip) => OWN.includes(formatIp(ip)))?.text;

describe('a datagram', () => {
  test.each<[string, string, string, boolean]>([
    ['of ours, IPv4', '10.0.0.1:7', '192.0.2.2:51820', true],
    ['of ours, IPv6', '[fd00::1]:7', '[2001:db8::2]:51820', true],
    ['from another port', '10.0.0.1:8', '192.0.2.2:51820', false],
    ['to another port', '10.0.0.1:7', '192.0.2.2:51821', false],
    ['to another host', '[fd00::1]:7', '[2001:db8::3]:51820', false],
    ['of another machine that is routed here', '10.0.0.9:7', '192.0.2.2:51820', false],
  ])('%s', (_, from, to, wanted) => {
    expect(judged(datagram(from, to))).toBe(wanted ? to : undefined);
  });

  test('behind IPv4 options', () => {
    const plain = datagram('10.0.0.1:7', '192.0.2.2:51820');
    const packet = Uint8Array.of(...plain.subarray(0, 20), 1, 1, 1, 0, ...plain.subarray(20));
    packet[0] = 0x46;
    expect(judged(packet)).toBe('192.0.2.2:51820');
  });

  test('of another protocol', () => {
    const packet = datagram('10.0.0.1:7', '192.0.2.2:51820');
    packet[9] = 6;
    expect(judged(packet)).toBeUndefined();
  });
});

test('nobody else asks the machine for its addresses', () => {
  const never = (): never => expect.fail('asked');
  expect(ownDatagram(datagram('10.0.0.1:8', '192.0.2.2:51820'), 7, isEndpoint, never)).toBeUndefined();
  expect(ownDatagram(datagram('127.0.0.1:7', '192.0.2.2:51820'), 7, isEndpoint)?.text).toBe('192.0.2.2:51820');
  expect(ownDatagram(datagram('192.0.2.77:7', '192.0.2.2:51820'), 7, isEndpoint)).toBeUndefined();
});

test('takes whatever comes from the interface', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(0xffff), (packet, port) => {
      judged(packet, port);
    }),
  );
});
