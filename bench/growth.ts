/** What a packet costs as captures, peers and conversations grow: flat, or it is a fault. */

import type { Command, Subject } from './subject.ts';
import { captureOf, lacking, WGWHY } from './workshop.ts';

const SIZES = [10_000, 100_000, 1_000_000];

export const growth: Subject = {
  name: 'growth',
  obstacle: () => lacking('python3'),
  groups: (quick) => {
    const tasks = (quick ? [1000] : SIZES).map((packets): Command => {
      const { pcap, keys, frames } = captureOf(packets, 'imix');
      return {
        name: `${packets} packets`,
        argv: [process.execPath, WGWHY, 'diagnose', pcap, keys, '--json'],
        ops: frames,
      };
    });
    return [{ name: 'diagnose --json, per packet', tasks }];
  },
};
