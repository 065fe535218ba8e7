/** What people get wrong in wg and wg-quick files, each with line, column and hint. */
import { describe, expect, test } from 'vitest';
import { parseWgConf } from '../../src/config/wg-quick.ts';

/** Made for this file. */
const KEY = '4HqMZSgBCSHbezINAvc7nkbaQJ2ncFoOk73jEnnsRFs=';
const KEY2 = 'Y6fMlVzCFxBdLzQarWq+jy7gv9uKGpDAhdE9qyQTznM=';
const KEY3 = 'L12K4xMcLscwAp2sJyDbCOKLbiAKjHus4SWpGKTSSn4=';
const PEER = `[Peer]\nPublicKey = ${KEY2}\n`;

/** `line:column message | hint` of each problem. */
function said(text: string): string[] {
  return parseWgConf(text).problems.map(
    ({ line, column, message, hint }) =>
      `${line ?? '-'}:${column ?? '-'} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
}

describe('what is wrong is said with line, column and hint', () => {
  const inInterface = (line: string): string => `[Interface]\n${line}\n`;
  const inPeer = (line: string): string => `${PEER}${line}\n`;

  test.each<[string, string, string[]]>([
    [
      'an empty file',
      '',
      ['-:- there is no [Interface] and no [Peer] section | hand over a wg-quick or wg setconf file'],
    ],
    [
      'a key before a section',
      `PrivateKey = ${KEY}\nAddress = 10.0.0.1/24\n[Peer]\nPublicKey=${KEY2}`,
      ['1:1 this line stands before any section | put [Interface] on a line above it'],
    ],
    ['no equals sign', inInterface('  ListenPort 51820'), ["2:3 this line has no '=' | write NAME = VALUE"]],
    [
      'a key with a colon',
      inInterface(`PrivateKey: ${KEY.slice(0, 43)}`),
      ["2:1 this line has no '=' | write NAME = VALUE"],
    ],
    [
      'a misspelt setting',
      inInterface('ListenPrt = 1'),
      ['2:1 this setting is not known to WireGuard | did you mean ListenPort'],
    ],
    [
      'swapped letters',
      inPeer('AllowedIsP = ::/0'),
      ['3:1 this setting is not known to WireGuard | did you mean AllowedIPs'],
    ],
    [
      'a missing letter',
      inPeer('AllowedIP = ::/0'),
      ['3:1 this setting is not known to WireGuard | did you mean AllowedIPs'],
    ],
    [
      'an underscore',
      inPeer('preshared_key = x'),
      ['3:1 this setting is not known to WireGuard | did you mean PresharedKey'],
    ],
    [
      'an unknown setting',
      inPeer('Colour = red'),
      ['3:1 this setting is not known to WireGuard | take the line out, or begin it with #'],
    ],
    [
      'a bare key',
      inPeer(KEY),
      ['3:1 this setting is not known to WireGuard | this looks like a key without its name: write NAME = KEY'],
    ],
    ['a semicolon comment', inPeer('; note = x'), ["3:1 this line is not a setting | comments begin with '#'"]],
    [
      'a peer setting on the interface',
      inInterface('PresharedKey = x'),
      ['2:1 PresharedKey does not belong under [Interface] | put it under [Peer]'],
    ],
    [
      'an interface setting on a peer',
      inPeer('PostUp = x'),
      ['3:1 PostUp does not belong under [Peer] | put it under [Interface]'],
    ],
    [
      'AmneziaWG',
      inInterface('Jc = 4'),
      ['2:1 Jc is a setting of AmneziaWG | a plain WireGuard at the other end does not understand it'],
    ],
    [
      'an unknown section',
      `[Interface]\n[Wibble]\nfoo = bar\n${PEER}`,
      ['2:1 this section is not known to WireGuard | sections are [Interface] and [Peer]'],
    ],
    [
      'a misspelt section',
      `[Peers]\nPublicKey = ${KEY}`,
      ['1:1 this section is not known to WireGuard | did you mean [Peer]'],
    ],
    [
      'an unclosed section',
      `[Peer\nPublicKey = ${KEY}`,
      ["1:1 a section header lacks its ']' | write [Interface] or [Peer]"],
    ],
    [
      'text after a section',
      `[Peer] PublicKey = ${KEY}\nPublicKey = ${KEY}`,
      ['1:7 something follows a section header | put it on a line of its own'],
    ],
    [
      'two interfaces',
      '[Interface]\nMTU = 1400\n[Interface]\nListenPort = 1',
      ['3:1 there is a second [Interface] section, the first is on line 1 | wg reads both as one; put them together'],
    ],
    [
      'a peer without a key',
      '[Interface]\n\n[Peer]\nAllowedIPs = ::/0',
      ["3:1 this [Peer] has no PublicKey | add the other end's public key"],
    ],
    [
      'two keys in one peer',
      inPeer(`PublicKey = ${KEY3}`),
      [
        '3:13 this [Peer] has a second PublicKey, the first is on line 2 | a [Peer] line is missing above it; wg would silently drop the first peer',
      ],
    ],
    [
      'a setting twice',
      inInterface('MTU = 1400\nmtu = 1420'),
      ['3:7 MTU stands here a second time, first on line 2 | wg takes the last one'],
    ],
    [
      'a byte order mark',
      `\ufeff${PEER}`,
      ['1:1 the file begins with a byte order mark, which wg refuses | save it as UTF-8 without a byte order mark'],
    ],
    [
      'a word as port',
      inInterface('ListenPort = wireguard'),
      ['2:14 ListenPort has a port that is not a number | a port is a number from 1 to 65535'],
    ],
    [
      'a port that wraps',
      inInterface('ListenPort = 70000'),
      ['2:14 ListenPort has a port above 65535 | wg on Linux would silently use 4464 instead'],
    ],
    [
      'an endless number',
      inInterface(`ListenPort = ${'9'.repeat(500)}`),
      ['2:14 ListenPort has a port that is not a number | a port is a number from 1 to 65535'],
    ],
    [
      'a tiny MTU',
      inInterface('MTU = 20'),
      ['2:7 MTU is not between 68 and 65535 | write a number of bytes, such as 1420'],
    ],
    [
      'a wrong FwMark',
      inInterface('FwMark = 0x1234567890'),
      ["2:10 FwMark is not a number | write a number up to 0xffffffff, or 'off'"],
    ],
    ['a wrong boolean', inInterface('SaveConfig = yes'), ['2:14 SaveConfig is neither true nor false']],
    ['an empty table', inInterface('Table ='), ["2:8 Table has no value | write 'auto', 'off' or a table"]],
    [
      'a DNS server that is none',
      inInterface('DNS = 1.1.1, 8.8.8.8'),
      ["2:7 DNS has something that is not an address '1.1.1' | write an address, or a name as search domain"],
    ],
    [
      'a short address',
      inInterface('Address = 10.0.0/24'),
      ["2:11 Address has an address that is not IPv4 '10.0.0/24' | an IPv4 address is four numbers from 0 to 255"],
    ],
    [
      'an octet too large',
      inPeer('AllowedIPs = 10.0.0.1/32, 10.0.0.300/32'),
      [
        "3:27 AllowedIPs has an address that is not IPv4 '10.0.0.300/32' | an IPv4 address is four numbers from 0 to 255",
      ],
    ],
    [
      'a leading zero',
      inPeer('AllowedIPs = 010.0.0.1/32'),
      ["3:14 AllowedIPs has an address with a leading zero '010.0.0.1/32' | write each number without leading zeros"],
    ],
    [
      'a long prefix',
      inPeer('AllowedIPs = 10.0.0.0/33'),
      ["3:14 AllowedIPs has a wrong prefix length '10.0.0.0/33' | write / and a number from 0 to 32"],
    ],
    [
      'no prefix length',
      inPeer('AllowedIPs = ::/'),
      ["3:14 AllowedIPs has a wrong prefix length '::/' | write / and a number from 0 to 128"],
    ],
    [
      'a netmask',
      inPeer('AllowedIPs = 10.0.0.0/255.255.255.0'),
      [
        "3:14 AllowedIPs has a netmask '10.0.0.0/255.255.255.0' | write the number of bits, such as /24 for 255.255.255.0",
      ],
    ],
    [
      'IPv6 gone wrong',
      inPeer('AllowedIPs = fd00:::1/64'),
      ["3:14 AllowedIPs has an address that is not IPv6 'fd00:::1/64'"],
    ],
    [
      'a name',
      inPeer('AllowedIPs = lan'),
      [
        '3:14 AllowedIPs has something that is not an address | write an address and a length, such as 10.0.0.2/32, separated by commas',
      ],
    ],
    [
      'spaces for commas',
      inPeer('AllowedIPs = 10.0.0.0/24 10.1.0.0/24'),
      ['3:14 AllowedIPs has entries without a comma between them | separate them with commas'],
    ],
    [
      'a comma at the end',
      inPeer('AllowedIPs = 10.0.0.0/24,'),
      ['3:26 AllowedIPs has an empty entry | take out the comma'],
    ],
    [
      'no AllowedIPs',
      inPeer('AllowedIPs ='),
      ['3:13 AllowedIPs has no value | take the line out, or write a prefix such as 10.0.0.2/32'],
    ],
    [
      'an endpoint without port',
      inPeer('Endpoint = 1.2.3.4'),
      ['3:12 Endpoint has no port | write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820'],
    ],
    [
      'an endpoint with port 0',
      inPeer('Endpoint = 1.2.3.4:0'),
      ['3:12 Endpoint has port 0, to which nothing can be sent | write the listen port of the other end'],
    ],
    [
      'an endpoint with a web address',
      inPeer('Endpoint = https://x:1'),
      [
        '3:12 Endpoint begins like a web address | write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820',
      ],
    ],
    [
      'an endpoint without host',
      inPeer('Endpoint = :51820'),
      ['3:12 Endpoint has no host | write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820'],
    ],
    [
      'an endpoint with a bad address',
      inPeer('Endpoint = 1.2.3.400:1'),
      ["3:12 Endpoint has an address that is not IPv4 '1.2.3.400' | an IPv4 address is four numbers from 0 to 255"],
    ],
    [
      'an endpoint that is not closed',
      inPeer('Endpoint = [::1:51820'),
      ["3:12 Endpoint lacks the closing ']' | write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820"],
    ],
    [
      'an endpoint with a strange host',
      inPeer('Endpoint = vpn example/net:1'),
      [
        '3:12 Endpoint has a host that is neither an address nor a name | write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820',
      ],
    ],
    [
      'an endpoint in quotation marks',
      inPeer('Endpoint = "1.2.3.4:1"'),
      ['3:12 Endpoint stands in quotation marks | write it without quotation marks'],
    ],
    [
      'a keepalive with a unit',
      inPeer('PersistentKeepalive = 25s'),
      ["3:23 PersistentKeepalive is not a number | write seconds without a unit, such as 25, or 'off'"],
    ],
    [
      'a keepalive too long',
      inPeer('PersistentKeepalive = 65536'),
      ["3:23 PersistentKeepalive is not between 0 and 65535 | write seconds without a unit, such as 25, or 'off'"],
    ],
  ])('%s', (_, text, wanted) => {
    expect(said(text)).toEqual(wanted);
  });

  const again = 'look for l, 1, I and O, 0 mixed up, or copy the key again from where it was made';
  test.each<[string, string, string, string]>([
    ['nothing', '', 'length', '2:13 PrivateKey has no value | a key is 44 characters of base64'],
    [
      '43 characters',
      KEY.slice(0, 43),
      'length',
      "2:57 PrivateKey has 43 characters: the '=' at the end is missing | add '=' at the end",
    ],
    [
      'a lost character',
      KEY.slice(1),
      'length',
      '2:57 PrivateKey has 43 characters, a key has 44 | part of the key is missing; copy all 44 characters',
    ],
    [
      'two characters more',
      `${KEY}==`,
      'length',
      '2:58 PrivateKey has 46 characters, a key has 44 | something was appended to the key, or it was pasted twice; copy all 44 characters',
    ],
    [
      'the key twice',
      `${KEY}${KEY}`,
      'length',
      '2:58 PrivateKey has 88 characters, a key has 44 | something was appended to the key, or it was pasted twice; copy all 44 characters',
    ],
    ['44 without the end', `${KEY.slice(0, 43)}A`, 'padding', `2:57 PrivateKey does not end with '=' | ${again}`],
    [
      'trailing bits',
      `${KEY.slice(0, 42)}t=`,
      'trailing-bits',
      `2:56 PrivateKey ends with a character that cannot stand before the '=' | ${again}`,
    ],
    [
      'URL-safe base64',
      `${KEY.slice(0, 20)}-${KEY.slice(21)}`,
      'character',
      '2:34 PrivateKey contains a hyphen, as in URL-safe base64 | WireGuard writes + for - and / for _',
    ],
    [
      'a no-break space',
      `\u00a0${KEY}`,
      'character',
      '2:14 PrivateKey contains a no-break space | delete it: it often comes along from a web page',
    ],
    [
      'an invisible character',
      `${KEY.slice(0, 3)}\u200b${KEY.slice(3)}`,
      'character',
      '2:17 PrivateKey contains an invisible character | delete it: it often comes along from a web page or a chat',
    ],
    [
      'a mark in the middle',
      `${KEY}\ufeff`,
      'character',
      '2:58 PrivateKey contains a byte order mark | delete it, or save the file as UTF-8 without a byte order mark',
    ],
    [
      'a Cyrillic letter',
      `${KEY.slice(0, 5)}\u0410${KEY.slice(6)}`,
      'character',
      '2:19 PrivateKey contains a character from outside ASCII | some letters of other alphabets look like Latin ones; copy the key again',
    ],
    [
      'quotation marks',
      `"${KEY}"`,
      'quoted',
      '2:14 PrivateKey stands in quotation marks | write the key without quotation marks',
    ],
    [
      'a shortened key',
      `${KEY.slice(0, 6)}…${KEY.slice(-4)}`,
      'character',
      '2:20 PrivateKey contains a dot | a shortened key cannot be used; copy all 44 characters',
    ],
    [
      'hexadecimal',
      'ab'.repeat(32),
      'hexadecimal',
      '2:14 PrivateKey is written in hexadecimal | write it in base64: xxd -r -p | base64',
    ],
    [
      'a placeholder',
      '(hidden)',
      'placeholder',
      '2:14 PrivateKey holds a placeholder instead of a key | put the key in, or hand over the keys that are known',
    ],
    [
      'spaces and a wrong character',
      `${KEY.slice(0, 4)}  ${KEY.slice(4, 10)}!${KEY.slice(11)}`,
      'character',
      '2:26 PrivateKey contains a character that base64 does not have | copy the key again from where it was made',
    ],
  ])('a key with %s', (_, value, fault, wanted) => {
    const text = inInterface(value === '' ? 'PrivateKey =' : `PrivateKey = ${value}`);
    expect(said(text)).toEqual([wanted]);
    const { conf } = parseWgConf(text);
    expect(conf.interface).not.toHaveProperty('privateKey');
    expect(conf.faults).toMatchObject([
      { kind: 'key-malformed', setting: 'PrivateKey', fault: value === '' ? 'missing' : fault, line: 2 },
    ]);
  });

  test('everything at once', () => {
    const text = `[Interface]\nPrivateKey = x\nAdress = 1\n[Peer]\nPublicKey = y\nAllowedIPs = 1.2.3.4/99, 5\nEndpoint = z\n`;
    expect(parseWgConf(text).problems.map((p) => [p.line, p.column])).toEqual([
      [2, 15],
      [3, 1],
      [5, 14],
      [6, 14],
      [6, 26],
      [7, 12],
    ]);
  });
});
