/** What runs on the guest: one backend does one thing so many times. Instructions are counted from outside. */
import type { Crypto } from '../../src/crypto/port.ts';
import { TAG } from '../../src/crypto/port.ts';
import { must, numbers, randomBytes } from '../chance.ts';
import { packetOf, pair } from '../pair.ts';
import { parties } from '../parties.ts';

/** Packets taken in turn, as in bench/aead.ts. */
const RING = 64;

/** Does it `times` times; what has to be there first is made for `most` times, so that it costs the same in each run. */
type Case = (crypto: Crypto, bytes: number, times: number, most: number) => void;

const CASES: Readonly<Record<string, Case>> = {
  open(crypto, bytes, times) {
    const next = numbers();
    const key = crypto.aeadKey(randomBytes(next, 32));
    const ring = Array.from({ length: RING }, (_, counter) => {
      const out = new Uint8Array(bytes + TAG);
      key.sealInto(counter, 0, randomBytes(next, bytes), 0, bytes, out, 0);
      return out;
    });
    const out = new Uint8Array(bytes);
    for (let i = 0; i < times; i++) {
      const sealed = ring[i % RING] ?? out;
      must(key.openInto(i % RING, 0, sealed, 0, sealed.length, out, 0));
    }
  },

  seal(crypto, bytes, times) {
    const next = numbers();
    const key = crypto.aeadKey(randomBytes(next, 32));
    const ring = Array.from({ length: RING }, () => randomBytes(next, bytes));
    const out = new Uint8Array(bytes + TAG);
    for (let i = 0; i < times; i++) key.sealInto(i, 0, ring[i % RING] ?? out, 0, bytes, out, 0);
  },

  receive(crypto, bytes, times, most) {
    const { seal, receive } = pair(crypto);
    const packet = packetOf(bytes);
    const datagrams = Array.from({ length: most }, () => seal(packet));
    for (const datagram of datagrams.slice(0, times)) must(receive(datagram) === 1);
  },

  send(crypto, bytes, times) {
    const { seal } = pair(crypto);
    const packet = packetOf(bytes);
    for (let i = 0; i < times; i++) seal(packet);
  },

  handshake(crypto, _, times) {
    const { whole } = parties(crypto);
    for (let i = 0; i < times; i++) whole();
  },

  /** What there is before the first packet: the engine, from its source to a backend that can be used. */
  start(crypto) {
    crypto.aeadKey(new Uint8Array(32));
  },
};

/** The arguments: backend, case, bytes, times, most. */
export function run(backends: Readonly<Record<string, () => Crypto>>, words: readonly string[]): void {
  const [backend = '', name = '', ...rest] = words;
  const [bytes = 0, times = 0, most = times] = rest.map(Number);
  const crypto = backends[backend]?.();
  const todo = CASES[name];
  if (crypto === undefined || todo === undefined) throw new Error(`no such case: ${words.join(' ')}`);
  todo(crypto, bytes, times, most);
}
