/** What the command prints for real captures is what the schemas say, and holds no secret of the configurations. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { eventSchema, reportSchema } from '../../src/report/schema.ts';

const LAB = fileURLToPath(new URL('../../vectors/lab/', import.meta.url));
const READ = /\.(pcap|conf)$/;

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const isReport = ajv.compile(reportSchema);
const isEvent = ajv.compile(eventSchema);

interface Output {
  readonly code: number;
  readonly text: string;
}

async function runWith(argv: readonly string[]): Promise<Output> {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const code = await run(argv, {
    stdout: { write },
    stderr: { write },
    stdin: () => {
      throw new Error('nobody asked for standard input');
    },
    isTTY: { stdin: false, stdout: false, stderr: false },
    columns: undefined,
    env: {},
  });
  return { code, text };
}

const printed = new Map<string, Promise<Output>>();

/** Of `diagnose` on all files of a folder: once for each form. */
function output(name: string, form: string): Promise<Output> {
  const known = printed.get(`${name} ${form}`) ?? runWith(['diagnose', ...filesOf(name), form]);
  printed.set(`${name} ${form}`, known);
  return known;
}

const filesOf = (name: string): string[] =>
  readdirSync(join(LAB, name))
    .filter((file) => READ.test(file))
    .map((file) => join(LAB, name, file));

describe.each(readdirSync(LAB))('%s', (name) => {
  test('report', async () => {
    const { code, text } = await output(name, '--json');
    const report = JSON.parse(text);
    isReport(report);
    expect(isReport.errors ?? []).toEqual([]);
    const wrong = report.findings.some(({ severity }: { severity: string }) => severity === 'error');
    expect(code).toBe(wrong ? 1 : 0);
  });

  test('events', async () => {
    const { text } = await output(name, '--ndjson');
    const lines = text.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      isEvent(JSON.parse(line));
      expect(isEvent.errors ?? [], line).toEqual([]);
    }
  });

  test('no private key and no PSK in any form of output', async () => {
    const secrets = filesOf(name)
      .filter((file) => file.endsWith('.conf'))
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^(?:PrivateKey|PresharedKey)\s*=\s*(\S+)/gm)])
      .map(([, key = '']) => key);
    expect(secrets.length).toBeGreaterThan(0);
    for (const form of ['--verbose', '--json', '--ndjson']) {
      const { text } = await output(name, form);
      for (const secret of secrets) expect(text).not.toContain(secret.slice(0, 12));
    }
  });
});
