/** README shows what the tool really prints: the block between its marks is the demo's output of today. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { diagnose } from '../src/report/diagnose.ts';
import { renderText } from '../src/report/text.ts';
import { bytesSource, labFile } from './scenarios/lab.ts';

const DEMO = 'lab/wrong-server-key';
const NAMES = ['client.pcap', 'server.pcap', 'client.conf', 'server.conf'];

test('the finding in README is what the demo prints', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const block = /<!-- demo output: begin[^>]*-->\n```console\n\$ [^\n]+\n\n([\s\S]*?)\n```\n/.exec(readme)?.[1];
  const { report } = await diagnose(NAMES.map((name) => bytesSource(name, labFile(`${DEMO}/${name}`))));
  expect(block).toBe(renderText(report, { width: 100 }).trimEnd());
});
