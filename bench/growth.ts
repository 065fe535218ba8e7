/** What a packet costs as captures, conversations and peers grow: flat, or it is a fault. Ratios are against the fewest. */
import { join } from 'node:path';
import { nodeCrypto } from '../src/crypto/node.ts';
import { wasmCrypto } from '../src/crypto/wasm/index.ts';
import { makeConversations } from './made-capture.ts';
import { packetOf, pair } from './pair.ts';
import { type Command, must, type Subject, type Task } from './subject.ts';
import { captureOf, lacking, WGWHY, workshop } from './workshop.ts';

const PACKETS = [10_000, 100_000, 1_000_000, 10_000_000];
const CONVERSATIONS = [1, 100, 10_000];
const PEERS = [1, 100, 10_000];
const AT_ONCE = 100_000;
const OPS = 64;

const diagnose = (name: string, ops: number, ...files: readonly string[]): Command => ({
  name,
  argv: [process.execPath, WGWHY, 'diagnose', ...files, '--json'],
  ops,
});

/** A packet from one of so many peers, through the whole device. */
function receiving(peers: number): Task {
  const { send } = pair(wasmCrypto('simd', nodeCrypto), peers - 1);
  const packet = packetOf(1420);
  const run = (): void => {
    for (let i = 0; i < OPS; i++) must(send(packet) === 1);
  };
  return { name: `${peers} peers`, run, ops: OPS };
}

export const growth: Subject = {
  name: 'growth',
  obstacle: () => lacking('python3'),
  groups: (quick) => {
    const captures = (quick ? [1000] : PACKETS).map((packets) => {
      const { pcap, keys, frames } = captureOf(packets, 'imix');
      return diagnose(`${packets} packets`, frames, pcap, keys);
    });
    const conversations = (quick ? [1, 10] : CONVERSATIONS).map((count) => {
      const pcap = join(workshop(), `conversations-${count}.pcap`);
      const { frames } = makeConversations(count, quick ? 1000 : AT_ONCE, pcap);
      return diagnose(`${count} conversations`, frames, pcap);
    });
    return [
      { name: 'diagnose --json, per packet', tasks: captures },
      { name: `diagnose --json without keys, per packet of ${AT_ONCE}`, tasks: conversations },
      { name: 'device to device, 1420 bytes', tasks: (quick ? [1, 10] : PEERS).map(receiving) },
    ];
  },
};
