/** What becomes of sources that are open when another one fails: each is closed, and what was thrown passes through. */
import { expect, test } from 'vitest';
import { diagnose, type Source } from '../../src/report/diagnose.ts';
import { labFile } from '../scenarios/lab.ts';

class Opened {
  readonly open: string[] = [];

  source(name: string, bytes: Uint8Array, failing = false): Source {
    const { open } = this;
    return {
      name,
      async *open() {
        open.push(name);
        try {
          yield bytes.subarray(0, 400);
          if (failing) throw new Error('the disk is gone');
          yield bytes.subarray(400);
        } finally {
          open.splice(open.indexOf(name), 1);
        }
      },
    };
  }
}

const CAPTURE = labFile('lab/healthy/client.pcap');
const CONF = labFile('lab/healthy/client.conf');

test.each<readonly [string, (opened: Opened) => Source[]]>([
  ['a text', (opened) => [opened.source('a', CAPTURE), opened.source('b', CAPTURE), opened.source('c', CONF, true)]],
  ['the first capture', (opened) => [opened.source('a', CAPTURE, true), opened.source('b', CAPTURE)]],
  ['the last capture', (opened) => [opened.source('a', CAPTURE), opened.source('b', CAPTURE, true)]],
])('%s cannot be read to its end', async (_, sources) => {
  const opened = new Opened();
  await expect(diagnose(sources(opened))).rejects.toThrow('the disk is gone');
  expect(opened.open).toEqual([]);
});

test('all can be read', async () => {
  const opened = new Opened();
  const { report } = await diagnose([
    opened.source('a', CAPTURE),
    opened.source('c', CONF),
    opened.source('d', CAPTURE),
  ]);
  expect(report.inputs).toHaveLength(3);
  expect(opened.open).toEqual([]);
});
