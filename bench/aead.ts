/** The per-packet path: sealing and opening through a key handle, between the caller's buffers. */
import { type Crypto, TAG } from '../src/crypto/port.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

/** A small packet, a middling one, IPv6's least MTU, WireGuard's default MTU. */
const SIZES = [64, 576, 1280, 1420];
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

const groups = (): readonly Group[] =>
  SIZES.flatMap((bytes) => [
    { name: `seal ${bytes} bytes`, tasks: BACKENDS.map((crypto) => sealing(crypto, bytes)) },
    { name: `open ${bytes} bytes`, tasks: BACKENDS.map((crypto) => opening(crypto, bytes)) },
  ]);

export const aead: Subject = { name: 'aead', groups };
