/** The whole command against tshark, on a capture of which every packet opens: time, and the greatest memory. */
import { spawnSync } from 'node:child_process';
import { type Command, type Group, must, type Subject } from './subject.ts';
import { captureOf, lacking, type MadeFiles, WGWHY } from './workshop.ts';

const PACKETS = 200_000;
const MANY = 1_000_000;
const FIELDS = ['frame.number', 'ip.src', 'ip.dst', 'udp.dstport'].flatMap((field) => ['-e', field]);

function commands({ pcap, keys, frames }: MadeFiles): Record<'fields' | 'stat' | 'events' | 'report', Command> {
  const tshark = ['tshark', '-r', pcap, '-o', `wg.keylog_file:${keys}`] as const;
  const wgwhy = [process.execPath, WGWHY, 'diagnose', pcap, keys] as const;
  return {
    fields: { name: 'tshark -T fields', argv: [...tshark, '-T', 'fields', ...FIELDS], ops: frames },
    stat: { name: 'tshark -q -z io,stat,0', argv: [...tshark, '-q', '-z', 'io,stat,0'], ops: frames },
    events: { name: 'diagnose --ndjson', argv: [...wgwhy, '--ndjson'], ops: frames },
    report: { name: 'diagnose --json', argv: [...wgwhy, '--json'], ops: frames },
  };
}

/** Both open all of it. */
function check(files: MadeFiles): void {
  const run = ({ argv: [program, ...rest] }: Command): string =>
    spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 30 }).stdout;
  const { fields, report } = commands(files);
  const opened = run(fields)
    .split('\n')
    .filter((line) => line.includes('10.0.0.')).length;
  const { counts }: { counts: { verdicts: Record<string, number>; messages: Record<string, number> } } = JSON.parse(
    run(report),
  );
  must(opened === counts.messages['data'] && (counts.verdicts['accepted'] ?? 0) >= opened);
}

export const analyze: Subject = {
  name: 'analyze',
  obstacle: () => lacking('python3', 'tshark'),
  groups: (quick): readonly Group[] => {
    check(captureOf(1000, 1420));
    const captures = [
      [PACKETS, 1420, '1420 bytes'],
      [PACKETS, 'imix', 'IMIX'],
      [MANY, 1420, 'a million of 1420 bytes'],
    ] as const;
    return captures.flatMap(([packets, mix, of]) => {
      const { fields, stat, events, report } = commands(captureOf(quick ? 1000 : packets, mix));
      return [
        { name: `${of}, a line a packet`, tasks: [fields, events] },
        { name: `${of}, the whole`, tasks: [stat, report] },
      ];
    });
  },
};
