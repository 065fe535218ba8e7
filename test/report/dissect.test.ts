/** `dissect` on messages whose every byte is known: fields, places, what opens and what not, copies, other forms, filters. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { concat, fromHex, toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type DissectOptions, dissect } from '../../src/report/dissect.ts';
import type { Dissected, DissectedField } from '../../src/report/dissect-model.ts';
import { dissectSchema } from '../../src/report/dissect-schema.ts';
import { DissectText } from '../../src/report/dissect-text.ts';
import type { Source } from '../../src/report/inputs.ts';
import { amnezia, type Form, geneve, lwo, noise, tcpCapture, warp } from '../diagnose/forms.ts';
import { conf } from '../diagnose/keys.ts';
import { back, capture, type Sent, there } from '../diagnose/traffic.ts';
import { corpus, packetOf } from '../wg/corpus.ts';
import { INITIATOR, KEY_LOG, OFFSET, RESPONDER, SESSION } from './dissect-samples.ts';

type Message = Extract<Dissected, { kind: 'message' }>;

const { keys } = corpus;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const source = (name: string, content: string | Uint8Array): Source => ({
  name,
  open: () => once(typeof content === 'string' ? new TextEncoder().encode(content) : content),
});

async function all(
  sent: readonly Sent[] | Uint8Array,
  more: readonly Source[] = [],
  options: DissectOptions = {},
): Promise<Dissected[]> {
  const bytes = sent instanceof Uint8Array ? sent : capture(sent);
  const items: Dissected[] = [];
  for await (const item of dissect([source('f.pcap', bytes), ...more], { crypto: nodeCrypto, ...options }))
    items.push(item);
  return items;
}

const messagesOf = (items: readonly Dissected[]): Message[] => items.filter((item) => item.kind === 'message');

function field(item: Dissected | undefined, path: string): DissectedField | undefined {
  let fields = item !== undefined && 'fields' in item ? item.fields : undefined;
  let found: DissectedField | undefined;
  for (const name of path.split('.')) {
    found = fields?.find((one) => one.name === name);
    fields = found?.fields;
  }
  return found;
}

const said = (item: Dissected | undefined, path: string) => {
  const found = field(item, path);
  return [found?.at, found?.length, found?.value];
};

const WITH_KEYS = [source('session.keys', KEY_LOG)];

describe('fields', () => {
  test('of an initiation', async () => {
    const [one] = messagesOf(await all(SESSION, WITH_KEYS));
    const bytes = packetOf('init.ok');
    const trace = corpus.trace_initiation;
    expect(said(one, 'type')).toEqual([0, 1, 1]);
    expect(said(one, 'reserved')).toEqual([1, 3, '000000']);
    expect(said(one, 'sender')).toEqual([4, 4, `0x${corpus.initiator_index.toString(16).padStart(8, '0')}`]);
    expect(said(one, 'ephemeral')).toEqual([8, 32, toBase64(bytes.subarray(8, 40))]);
    expect(said(one, 'sealedStatic')).toEqual([40, 48, undefined]);
    expect(said(one, 'sealedStatic.static')).toEqual([40, 32, INITIATOR]);
    expect(field(one, 'sealedStatic.tag')).toMatchObject({
      at: 72,
      bytes: toHex(bytes.subarray(72, 88)),
      meaning: 'fits',
    });
    expect(said(one, 'sealedTimestamp')).toEqual([88, 28, undefined]);
    expect(field(one, 'sealedTimestamp.timestamp')).toMatchObject({
      at: 88,
      length: 12,
      bytes: toHex(trace.timestamp),
    });
    const label = BigInt(`0x${toHex(trace.timestamp.subarray(0, 8))}`);
    expect(said(one, 'sealedTimestamp.timestamp.label')).toEqual([88, 8, String(label)]);
    expect(said(one, 'sealedTimestamp.timestamp.base')[2]).toBe(10);
    expect(said(one, 'mac1')).toEqual([116, 16, toHex(trace.mac1)]);
    expect(field(one, 'mac1.owner')).toMatchObject({ value: RESPONDER, meaning: 'session.keys:2' });
    expect(said(one, 'mac2.state')[2]).toBe('absent');
    expect(said(one, 'openedWith')[2]).toEqual([
      'ephemeral of the initiator (session.keys:3)',
      'private key of session.keys:1',
    ]);
  });

  test('of a response', async () => {
    const [, one] = messagesOf(await all(SESSION, WITH_KEYS));
    const bytes = packetOf('resp.ok');
    expect(said(one, 'sender')[2]).toBe(`0x${corpus.responder_index.toString(16).padStart(8, '0')}`);
    expect(said(one, 'receiver')).toEqual([8, 4, `0x${corpus.initiator_index.toString(16).padStart(8, '0')}`]);
    expect(said(one, 'ephemeral')).toEqual([12, 32, toBase64(bytes.subarray(12, 44))]);
    expect(field(one, 'sealedEmpty')).toMatchObject({ at: 44, length: 16, meaning: 'opens with session.keys:4' });
    expect(said(one, 'mac1.owner')[2]).toBe(INITIATOR);
    expect(said(one, 'answersFrame')[2]).toBe(1);
    expect(said(one, 'verdict')[2]).toBe('accepted');
  });

  test('of data, with the packet inside', async () => {
    const [, , one] = messagesOf(await all(SESSION, WITH_KEYS, { payloads: true }));
    const ping = corpus.inner_ping;
    expect(said(one, 'counter')).toEqual([8, 8, '1']);
    expect(said(one, 'sealedPacket')).toEqual([16, packetOf('data.ping').length - 16, undefined]);
    expect(said(one, 'sealedPacket.ipv4.totalLength')).toEqual([18, 2, ping.length]);
    expect(field(one, 'sealedPacket.ipv4.checksum')?.meaning).toBe('right');
    expect(said(one, 'sealedPacket.icmp.type')).toEqual([36, 1, 8]);
    expect(field(one, 'sealedPacket.icmp.checksum')?.meaning).toBe('right');
    expect(field(one, 'sealedPacket.payload')?.bytes).toBe(toHex(ping.subarray(28)));
    expect(said(one, 'session.sentBy')[2]).toBe('initiator');
    expect(said(one, 'session.ageMs')[2]).toBeCloseTo(10, 3);
    expect(said(one, 'openedWith')[2]).toEqual(['session key from the handshake in frames 1 and 2']);
  });

  test('of a cookie reply, and of MAC2 made with it', async () => {
    const sent = [
      there(OFFSET, packetOf('init.ok')),
      back(OFFSET + 0.01, packetOf('cookie.ok')),
      there(OFFSET + 5, packetOf('init.under_load_good_mac2')),
    ];
    const [, reply, retry] = messagesOf(await all(sent, WITH_KEYS));
    expect(said(reply, 'nonce')).toEqual([8, 24, toHex(packetOf('cookie.ok').subarray(8, 32))]);
    expect(field(reply, 'sealedCookie')).toMatchObject({ at: 32, length: 32 });
    expect(field(reply, 'sealedCookie.tag')?.meaning).toBe('fits');
    expect(said(retry, 'mac2.state')[2]).toBe('valid');
    expect(JSON.stringify(reply)).not.toContain(toHex(corpus.cookie.cookie_value));
  });

  test.each([
    ['resp.psk_other', 'does not fit', 'empty-unsealable'],
    ['resp.empty_tag_altered', 'does not fit', 'empty-unsealable'],
  ])('%s: %s', async (id, tag, drop) => {
    const [, one] = messagesOf(await all([...SESSION.slice(0, 1), back(OFFSET + 0.01, packetOf(id))], WITH_KEYS));
    expect(field(one, 'sealedEmpty.tag')?.meaning).toBe(tag);
    expect(field(one, 'verdict')?.meaning).toBe(drop);
  });

  test.each([
    ['data.aead', 'counter', 'the next after 0', 'data-unsealable'],
    ['data.duplicate', 'counter', 'came before: the greatest so far', 'counter-replayed'],
  ])('%s after a first one', async (id, path, meaning, drop) => {
    const sent = [...SESSION, there(OFFSET + 1.5, packetOf(id === 'data.duplicate' ? 'data.ping' : id))];
    const one = messagesOf(await all(sent, WITH_KEYS))[3];
    if (id === 'data.duplicate') expect(field(one, path)?.meaning).toBe(meaning);
    expect(field(one, 'verdict')).toMatchObject({ value: 'refused', meaning: drop });
  });

  test('a counter that is ahead, behind, and too old', async () => {
    const message = (counter: number): Uint8Array => {
      const bytes = packetOf('data.ping').slice();
      new DataView(bytes.buffer).setUint32(8, counter, true);
      return bytes;
    };
    const sent = [0, 5, 3, 9000, 800].map((counter, i) => there(OFFSET + 0.02 + i, message(counter)));
    const items = messagesOf(await all([...SESSION.slice(0, 2), ...sent]));
    expect(items.slice(2).map((item) => field(item, 'counter')?.meaning)).toEqual([
      'the first of this direction',
      '4 missing between 0 and this one',
      '2 behind the greatest, 5: within the window of 8128',
      '8994 missing between 5 and this one',
      '8200 behind the greatest, 9000: too old for the window of 8128',
    ]);
  });
});

describe('what is missing is said', () => {
  test.each([
    ['no key at all', [], ['a public key of either end'], undefined],
    [
      'public keys',
      [`REMOTE_STATIC_PUBLIC_KEY = ${RESPONDER}\n`],
      ['the private key of a.keys:1, or the initiator’s ephemeral'],
      RESPONDER,
    ],
  ])('%s', async (_, logs, missing, owner) => {
    const items = messagesOf(
      await all(
        SESSION,
        logs.map((log) => source('a.keys', log)),
      ),
    );
    expect(said(items[0], 'missing')[2]).toEqual(missing);
    expect(said(items[0], 'mac1.owner')[2]).toBe(owner);
    expect(field(items[0], 'sealedStatic.ciphertext')?.bytes).toBe(toHex(packetOf('init.ok').subarray(40, 72)));
    expect(field(items[2], 'missing')?.value).toContainEqual(expect.stringContaining('traffic key for 0x'));
    expect(said(items[2], 'verdict')[2]).toBe('undecided');
  });

  test('of a message that the capture cut', async () => {
    const bytes = capture(SESSION, 101);
    const cut = cutFrames(bytes, 28 + 50);
    const [one] = messagesOf(await all(cut, WITH_KEYS));
    expect(one).toMatchObject({ length: 148, captured: 50 });
    expect(field(one, 'sealedStatic')).toMatchObject({ at: 40, meaning: 'the capture has 10 of 48 bytes of it' });
    expect(field(one, 'mac1')).toEqual({ name: 'mac1', at: 116, length: 16, bytes: '', meaning: 'not captured' });
  });
});

/** Every record keeps this many bytes. */
function cutFrames(file: Uint8Array, keep: number): Uint8Array {
  const parts = [file.subarray(0, 24)];
  for (let at = 24; at < file.length; ) {
    const header = file.slice(at, at + 16);
    const view = new DataView(header.buffer);
    const length = view.getUint32(8, true);
    const kept = Math.min(length, keep);
    view.setUint32(8, kept, true);
    parts.push(header, file.subarray(at + 16, at + 16 + kept));
    at += 16 + length;
  }
  return concat(...parts);
}

describe('again', () => {
  test('a copy of a datagram has all its fields, and the packet inside', async () => {
    const twice = SESSION.flatMap((sent) => [sent, { ...sent, at: sent.at + 0.001 }]);
    const items = messagesOf(await all(twice, WITH_KEYS));
    expect(items.map((item) => field(item, 'copyOfFrame')?.value)).toEqual([undefined, 1, undefined, 3, undefined, 5]);
    for (const [first, second] of [0, 2, 4].map((i) => [items[i], items[i + 1]])) {
      const [, ...rest] = second?.fields ?? [];
      const timeless = (fields: readonly DissectedField[]) =>
        JSON.stringify(
          fields.filter(({ name }) => !['session', 'counter', 'answersFrame', 'sealedTimestamp'].includes(name)),
        );
      expect(timeless(rest)).toBe(timeless(first?.fields ?? []));
    }
  });

  test('the same initiation later is refused where it was taken before', async () => {
    const server = conf({
      secret: toBase64(keys.responder_static_private),
      port: 51820,
      peers: [{ key: INITIATOR, psk: toBase64(keys.psk) }],
    });
    const sent = [there(OFFSET, packetOf('init.ok')), there(OFFSET + 3, packetOf('init.ok'))];
    const [first, second] = messagesOf(await all(sent, [source('server.conf', server)]));
    expect(said(first, 'verdict')[2]).toBe('accepted');
    expect(said(second, 'sameAsFrame')[2]).toBe(1);
    expect(field(second, 'verdict')).toMatchObject({
      value: 'refused',
      meaning: expect.stringMatching(/^timestamp-replayed/),
    });
  });
});

describe('other forms', () => {
  const inForm = (form: Form): Uint8Array => capture(SESSION.flatMap(form));
  test.each<[string, Form, string, number | undefined]>([
    ['Cloudflare WARP', warp([1, 2, 3]), '010203', 0],
    ['Tailscale', geneve(9), '', 8],
    ['Mullvad', lwo(RESPONDER, INITIATOR), '', 0],
    ['AmneziaWG', amnezia({ serverKey: RESPONDER, clientKey: INITIATOR }), '', 15],
  ])('%s', async (name, form, reserved, messageAt) => {
    const items = messagesOf(await all(inForm(form), WITH_KEYS));
    expect(items.map(({ message }) => message)).toEqual(['initiation', 'response', 'data']);
    const [one] = items;
    expect(one?.variant).toContain(name);
    expect(one?.carrier.messageAt).toBe(messageAt);
    // as it is read, and as it stood on the wire
    expect(said(one, 'reserved')[2]).toBe('000000');
    if (reserved !== '') expect(field(one, 'reserved')?.wire).toBe(reserved);
    if (name === 'Mullvad') expect(field(one, 'sender')?.wire).not.toBe(field(one, 'sender')?.bytes);
    expect(said(one, 'sealedStatic.static')[2]).toBe(INITIATOR);
    expect(field(items[2], 'sealedPacket.ipv4')).toBeDefined();
  });

  test('WireGuard in TCP', async () => {
    const items = messagesOf(await all(tcpCapture(SESSION), WITH_KEYS));
    expect(items.map(({ variant }) => variant)).toEqual(Array(3).fill('WireGuard in TCP (udp-over-tcp)'));
    // behind 20 bytes of IPv4, 20 of TCP and the length
    expect(items[0]?.carrier.frameAt).toBe(42);
  });

  test('junk before an initiation is told of, once it is known whose it is', async () => {
    const form = amnezia({ serverKey: RESPONDER, clientKey: INITIATOR, junk: 2 });
    const items = await all(
      // the clock of the helper does not go below its beginning
      capture(
        [...SESSION, there(20, packetOf('init.newer'))].map((sent) => ({ ...sent, at: sent.at + 1 })).flatMap(form),
      ),
      WITH_KEYS,
    );
    expect(items.filter(({ kind }) => kind === 'unread').length).toBe(2);
  });
});

describe('malformed', () => {
  test.each([
    ['init.len_147', 'initiation', 'the message ends after 15 of its 16 bytes', 'mac2'],
    ['init.len_149', 'initiation', 'behind the end of the message', 'rest'],
    ['resp.len_91', 'response', 'the message ends after 15 of its 16 bytes', 'mac2'],
    ['cookie.len_63', 'cookie-reply', 'the message ends after 31 of its 32 bytes', 'sealedCookie'],
    ['data.len_31', 'data', 'too few for a tag', 'rest'],
  ])('%s', async (id, message, meaning, name) => {
    const [, item] = await all([there(0, packetOf(id))]);
    expect(item).toMatchObject({ kind: 'malformed', message });
    expect(field(item, name)?.meaning).toBe(meaning);
    expect(field(item, 'verdict')?.meaning).toContain('length-mismatch');
  });

  test('what is something else is not told of', async () => {
    const items = await all([there(0, packetOf('type_5')), there(1, packetOf('short_3')), there(2, noise(200, 7))]);
    expect(items.map(({ kind }) => kind)).toEqual(['capture', 'end']);
  });
});

describe('filters', () => {
  const index = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`;
  const end = (text: string) => {
    const { ip, port } = parseEndpoint(text) ?? { ip: new Uint8Array(4), port: 0 };
    return { ip: [...ip].join('.'), port };
  };
  test.each<[string, DissectOptions['filter'], number[]]>([
    ['none', {}, [1, 2, 3]],
    [
      'frames',
      {
        frames: [
          { low: 2, high: 2 },
          { low: 3, high: 9 },
        ],
      },
      [2, 3],
    ],
    ['one end', { conversation: [end('203.0.113.10:51820')] }, [1, 2, 3]],
    ['an address', { conversation: [{ ip: '10.99.1.2', port: undefined }] }, [1, 2, 3]],
    ['both ends', { conversation: [end('203.0.113.10:51820'), end('10.99.1.2:51821')] }, [1, 2, 3]],
    ['an end of another', { conversation: [end('203.0.113.10:51820'), end('10.99.1.3:51821')] }, []],
    ['its initiator’s index', { index: corpus.initiator_index }, [1, 2, 3]],
    ['its responder’s index', { index: corpus.responder_index }, [2, 3]],
    ['a peer by key', { peer: RESPONDER.slice(0, 8) }, [1, 2, 3]],
    ['a peer by name', { peer: 'SESSION.keys' }, [1, 2, 3]],
    ['another peer', { peer: 'other.conf' }, []],
    ['a type', { types: ['response'] }, [2]],
    ['types', { types: ['initiation', 'keepalive'] }, [1]],
    ['a time', { after: { kind: 'since', ns: 10_000_000n } }, [2, 3]],
    ['a span', { after: { kind: 'since', ns: 1n }, before: { kind: 'since', ns: 10_000_000n } }, [2]],
    ['a moment', { before: { kind: 'clock', time: { sec: corpus.unix_time, nsec: 0 } } }, [1]],
    ['two at once', { types: ['data'], frames: [{ low: 1, high: 2 }] }, []],
  ])('%s', async (_, filter, frames) => {
    const items = await all(SESSION, WITH_KEYS, { filter: filter ?? {} });
    expect(messagesOf(items).map(({ at }) => at.frame)).toEqual(frames);
    expect(items.at(-1)).toMatchObject({ kind: 'end', shown: frames.length });
    expect(index(0)).toHaveLength(10);
  });

  test('what is left out is still known', async () => {
    const [one] = messagesOf(await all(SESSION, WITH_KEYS, { filter: { types: ['data'] } }));
    expect(field(one, 'sealedPacket.ipv4')).toBeDefined();
  });
});

describe('whatever comes', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const valid = ajv.compile(dissectSchema);
  const text = new DissectText({ width: 100, colour: false, linesOnly: false });

  const checked = (items: readonly Dissected[]): void => {
    for (const item of items) {
      expect(valid(item), `${ajv.errorsText(valid.errors)} ${JSON.stringify(item)}`).toBe(true);
      expect(text.render(item)).not.toMatch(/undefined|NaN|\[object/);
    }
  };

  test('the whole corpus, with and without keys, keeps to the schema and tells no secret', async () => {
    const sent = corpus.cases.map(({ packet, at }, i) => (at === 'responder' ? there : back)(OFFSET + i / 10, packet));
    const other = corpus.variants.map(({ packet }, i) => there(OFFSET + 100 + i, packet));
    const secrets = [
      keys.initiator_static_private,
      keys.initiator_ephemeral_private,
      keys.psk,
      corpus.trace_response.transport_key_initiator_to_responder,
      corpus.trace_response.transport_key_responder_to_initiator,
    ].flatMap((secret) => [toHex(secret), toBase64(secret)]);
    for (const more of [[], WITH_KEYS]) {
      const items = await all([...sent, ...other], more, { payloads: true });
      checked(items);
      const told = JSON.stringify(items);
      expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
    }
  });

  test('altered, cut and lengthened messages', async () => {
    const ids = ['init.ok', 'resp.ok', 'cookie.ok', 'data.ping'];
    const change = fc.record({
      id: fc.constantFrom(...ids),
      at: fc.nat({ max: 180 }),
      value: fc.integer({ min: 0, max: 255 }),
      length: fc.option(fc.nat({ max: 200 }), { freq: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), async (changes) => {
        const sent = changes.map(({ id, at, value, length }, i) => {
          const bytes = new Uint8Array(length ?? packetOf(id).length);
          bytes.set(packetOf(id).subarray(0, bytes.length));
          if (at < bytes.length) bytes[at] = value;
          return (id === 'init.ok' || id === 'data.ping' ? there : back)(OFFSET + i / 10, bytes);
        });
        checked(await all([...SESSION, ...sent], WITH_KEYS, { payloads: true }));
      }),
      { numRuns: 40 },
    );
  });

  test('a private key in the place of a public one is not told', async () => {
    const secret = toBase64(keys.initiator_static_private);
    const log = `${KEY_LOG}REMOTE_STATIC_PUBLIC_KEY = ${secret}\n`;
    const own = capture([there(0, initiationFor(keys.initiator_static_private))]);
    const items = await all(own, [source('k.keys', log)]);
    expect(JSON.stringify(items)).not.toContain(secret);
    expect(JSON.stringify(items)).toContain('not shown');
  });
});

/** MAC1 for that key; nothing else of it is right. */
function initiationFor(key: Uint8Array): Uint8Array {
  const bytes = packetOf('init.ok').slice();
  const mac1Key = nodeCrypto.hash(new TextEncoder().encode('mac1----'), key);
  bytes.set(nodeCrypto.mac(mac1Key, bytes.subarray(0, 116)), 116);
  return bytes;
}

test('hexadecimal bytes of the fields, one after the other, are the message', async () => {
  for (const one of messagesOf(await all(SESSION, [], { payloads: true }))) {
    const whole = (one.fields ?? []).filter(({ at }) => at !== undefined).map(({ bytes = '' }) => bytes);
    const sent = SESSION[one.at.frame - 1]?.payload ?? fromHex('');
    expect(whole.join('')).toBe(toHex(sent));
  }
});
