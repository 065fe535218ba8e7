/** What came over TZSP, sender by sender, and what of it could not be used. */
import type { TzspSender } from '../capture/tzsp-stream.ts';
import type { Report } from '../report/model.ts';

export interface TzspCounts {
  readonly senders: readonly TzspSender[];
  readonly crowded: number;
  readonly overrun: number;
}

type StreamProblem = Report['problems'][number];

const packets = (n: number): string => `${n} TZSP packet${n === 1 ? '' : 's'}`;

/** `from 192.168.88.1: 120 TZSP packets, 118 frames, 2 without a frame (TZSP keepalive 2)` */
export function senderLines({ senders }: TzspCounts): string[] {
  return senders.map(({ address, datagrams, frames, refused, late }) => {
    const reasons = [...refused].map(([reason, count]) => `${reason} ${count}`).join(', ');
    const parts = [packets(datagrams), `${frames} frame${frames === 1 ? '' : 's'}`];
    if (datagrams > frames) parts.push(`${datagrams - frames} without a frame (${reasons})`);
    if (late > 0) parts.push(`${late} late`);
    return `from ${address}: ${parts.join(', ')}`;
  });
}

/** Sent without a frame by design. */
const NO_FRAME: ReadonlySet<string> = new Set(['TZSP keepalive', 'TZSP port opener', 'TZSP configuration']);

export function streamProblems(input: string, { senders, crowded, overrun }: TzspCounts): StreamProblem[] {
  const problems: StreamProblem[] = [];
  for (const { address, refused, lost } of senders) {
    for (const [reason, count] of refused) {
      if (!NO_FRAME.has(reason))
        problems.push({ input, message: `${packets(count)} from ${address} not read: ${reason}` });
    }
    if (lost > 0) {
      problems.push({
        input,
        message: `${packets(lost)} from ${address} never came, by its own count`,
        hint: 'a narrower filter on the sniffer loses less',
      });
    }
  }
  if (senders.length > 1) {
    problems.push({
      input,
      message: `${senders.length} senders were read as one capture: what each of them saw cannot be told apart`,
      hint: 'one listener for each router: --port',
    });
  }
  if (crowded > 0) problems.push({ input, message: `${packets(crowded)} from further addresses not read` });
  if (overrun > 0) {
    problems.push({
      input,
      message: `${packets(overrun)} came faster than they could be read, and were dropped here`,
      hint: 'a narrower filter on the sniffer: filter-ip-protocol=udp,icmp, or filter-ip-address of the other end',
    });
  }
  return problems;
}
