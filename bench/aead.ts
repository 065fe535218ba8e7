/** The per-packet path: sealing and opening through a key handle, between the caller's buffers. */
import { EMPTY, equal } from '../src/base/bytes.ts';
import { noble } from '../src/crypto/noble.ts';
import { type Crypto, TAG } from '../src/crypto/port.ts';
import { type Peer, peers } from './peers.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

/** The least, a small packet, a middling one, IPv6’s least MTU, WireGuard’s default MTU, a jumbo frame. */
const SIZES = [16, 64, 576, 1280, 1420, 9000];
/** Packets taken in turn, so that none stays in the nearest cache for no reason. */
const RING = 64;

function sealing(crypto: Crypto, bytes: number): Task {
  const next = numbers();
  const key = crypto.aeadKey(randomBytes(next, 32));
  const ring = Array.from({ length: RING }, () => randomBytes(next, bytes));
  const out = new Uint8Array(bytes + TAG);
  let counter = 0;
  const run = (): void => {
    for (const plain of ring) key.sealInto(counter++ >>> 0, 0, plain, 0, bytes, out, 0);
  };
  return { name: crypto.name, run, ops: RING, bytes };
}

function opening(crypto: Crypto, bytes: number): Task {
  const next = numbers();
  const key = crypto.aeadKey(randomBytes(next, 32));
  const ring = Array.from({ length: RING }, (_, counter) => {
    const out = new Uint8Array(bytes + TAG);
    key.sealInto(counter, 0, randomBytes(next, bytes), 0, bytes, out, 0);
    return out;
  });
  const out = new Uint8Array(bytes);
  const run = (): void => {
    let counter = 0;
    let opened = true;
    for (const sealed of ring) opened = key.openInto(counter++, 0, sealed, 0, sealed.length, out, 0) && opened;
    must(opened);
  };
  return { name: crypto.name, run, ops: RING, bytes };
}

/** The same with a peer, which has no handles and gives its output in memory of its own. */
function peerTasks({ name, seal, open }: Peer, bytes: number): { readonly seal: Task; readonly open: Task } {
  const next = numbers();
  const key = randomBytes(next, 32);
  const ring = Array.from({ length: RING }, () => randomBytes(next, bytes));
  const sealed = ring.map((plain, counter) => seal(key, counter, plain));
  for (const [counter, plain] of ring.entries())
    must(equal(sealed[counter] ?? EMPTY, noble.seal(key, counter, 0, EMPTY, plain)));
  let counter = 0;
  return {
    seal: {
      name,
      ops: RING,
      bytes,
      run: () => {
        for (const plain of ring) must(seal(key, counter++ >>> 0, plain).length === bytes + TAG);
      },
    },
    open: {
      name,
      ops: RING,
      bytes,
      run: () => {
        for (const [at, one] of sealed.entries()) must(open(key, at, one)?.length === bytes);
      },
    },
  };
}

async function groups(): Promise<readonly Group[]> {
  const others = await peers();
  return SIZES.flatMap((bytes) => {
    const theirs = others.map((peer) => peerTasks(peer, bytes));
    return [
      {
        name: `seal ${bytes} bytes`,
        tasks: [...BACKENDS.map((crypto) => sealing(crypto, bytes)), ...theirs.map(({ seal }) => seal)],
      },
      {
        name: `open ${bytes} bytes`,
        tasks: [...BACKENDS.map((crypto) => opening(crypto, bytes)), ...theirs.map(({ open }) => open)],
      },
    ];
  });
}

export const aead: Subject = { name: 'aead', groups };
