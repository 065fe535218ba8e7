/** The capture file ends in mid-record, or is damaged inside. */
import { captureSubject } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

const NOTED = 5;

export const captureDamaged = defineRule({
  name: 'capture-damaged',
  severity: 'warning',
  on: 'capture',
  group: 'capture',
  explain: {
    what: 'the capture file ends inside a record, or a part of it makes no sense',
    why: 'frames are missing from it, so what seems never to have been sent may only be lost; a file copied while it was being written, a full disk or a killed sniffer does this',
    fix: 'stop the capture with Ctrl-C or `/tool sniffer stop` before copying it, copy it in binary mode, and look whether the disk is full',
  },
  check(timeline) {
    const [first, ...rest] = timeline.damage;
    if (first === undefined) return undefined;
    const notes = rest.slice(0, NOTED).map((d) => `further damage at byte ${d.offset}: ${d.message}`);
    if (rest.length > NOTED) notes.push(`${rest.length - NOTED} further places are damaged`);
    if (first.resumedAt === undefined) notes.push('what came after it is not in the file, or could not be read');
    return {
      facts: {
        damage: first.message,
        offset: first.offset,
        framesBefore: first.framesBefore,
        resumedAt: first.resumedAt ?? null,
        places: timeline.damage.length,
      },
      certainty: 'proven',
      frames: first.resumedAt === undefined && timeline.last !== undefined ? [timeline.last] : [],
      subject: captureSubject(timeline),
      notes,
    };
  },
  message({ damage, offset, framesBefore, resumedAt }) {
    const where = `at byte ${offset}, after ${framesBefore === 1 ? '1 frame' : `${framesBefore} frames`}`;
    const then = resumedAt === null ? '' : `; reading went on at byte ${resumedAt}`;
    return `the capture is damaged ${where}: ${damage}${then}`;
  },
  fix: () => ({
    linux: ['tcpdump -U -i any -s 0 -w wgwhy.pcap   (-U writes each packet at once; end it with Ctrl-C)', 'df -h .'],
    routeros: ['/tool sniffer stop', '/tool sniffer save file-name=wgwhy.pcap', '/file print where name~"wgwhy"'],
  }),
});
