/** Output of `/tool sniffer quick`, as RouterOS 7 prints it. */
import { expect, test } from 'vitest';
import { parseRosSniffer } from '../../../src/config/routeros/sniffer.ts';

const TABLE = `Columns: INTERFACE, TIME, NUM, DIR, SRC-MAC, DST-MAC, VLAN, SRC-ADDRESS, DST-ADDRESS, PROTOCOL, SIZE, CPU, FP
INTERFACE   TIME   NUM  DIR  SRC-MAC            DST-MAC            VLAN  SRC-ADDRESS                 DST-ADDRESS                  PROTOCOL  SIZE  CPU  FP
ether1      0.904    1  <-   AA:BB:CC:00:00:01  AA:BB:CC:00:00:02   254  198.51.100.7:51820          203.0.113.9:13231            ip:udp     190    0  no
ether1      0.905    2  ->   AA:BB:CC:00:00:02  AA:BB:CC:00:00:01        203.0.113.9:13231           198.51.100.7:51820           ip:udp     134    1  no
pppoe-out1  1.1      3  <-                                               8.8.8.8:53 (dns)            203.0.113.9:5353 (mdns)      ip:udp     120    1  no
ether1      1.2      4  ->   AA:BB:CC:00:00:02  AA:BB:CC:00:00:01        203.0.113.9                 198.51.100.7                 ip:icmp     70    1  no
ether1      1.3      5  <-   AA:BB:CC:00:00:02  33:33:00:00:00:01        fe80::e5c:3dff:fef2:2:5678 (discovery)  ff02::1:5678 (discovery)  ipv6:udp  216  1  no
ether1      1.4      6  ->   AA:BB:CC:00:00:02  01:80:C2:00:00:0E                                                                 lldp       140    1  no
`;

test('packets', () => {
  const { packets, problems } = parseRosSniffer(TABLE);
  expect(problems).toEqual([]);
  expect(
    packets.map((p) => [
      p.line,
      p.interface,
      p.timeMs,
      p.number,
      p.direction,
      p.from.endpoint?.text ?? p.from.text,
      p.to.endpoint?.text ?? p.to.text,
      p.protocol,
      p.sizeBytes,
      p.vlan,
    ]),
  ).toEqual([
    [3, 'ether1', 904, 1, 'rx', '198.51.100.7:51820', '203.0.113.9:13231', 'ip:udp', 190, 254],
    [4, 'ether1', 905, 2, 'tx', '203.0.113.9:13231', '198.51.100.7:51820', 'ip:udp', 134, undefined],
    [5, 'pppoe-out1', 1100, 3, 'rx', '8.8.8.8:53', '203.0.113.9:5353', 'ip:udp', 120, undefined],
    [6, 'ether1', 1200, 4, 'tx', '203.0.113.9', '198.51.100.7', 'ip:icmp', 70, undefined],
    [7, 'ether1', 1300, 5, 'rx', '[fe80::e5c:3dff:fef2:2]:5678', '[ff02::1]:5678', 'ipv6:udp', 216, undefined],
  ]);
});

test('as a page shows it that lost the alignment', () => {
  const { packets } = parseRosSniffer(
    'ether7 35.472 79 <- 6C:3B:6B:ED:83:69 6C:3B:6B:ED:81:83 10.155.126.252 10.155.126.253 ip:icmp 70 7 no',
  );
  expect(packets.map((p) => [p.from.text, p.to.text, p.sizeBytes])).toEqual([['10.155.126.252', '10.155.126.253', 70]]);
});

test('a row that was cut is said', () => {
  const { packets, problems } = parseRosSniffer(
    'ether1  0.9  1  <-   AA:BB:CC:00:00:01  AA:BB:CC:00:00:02  198.51.100.7:1  ip:udp',
  );
  expect(packets).toEqual([]);
  expect(problems).toEqual([{ message: 'this packet of the sniffer table cannot be read', line: 1, column: 1 }]);
});
