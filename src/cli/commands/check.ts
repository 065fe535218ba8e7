/** `wgwhy check`: configurations alone, both ends side by side, before anything is captured. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { nodeCrypto } from '../../crypto/node.ts';
import { fileSource } from '../../io/files.ts';
import type { Diagnosis } from '../../report/diagnose.ts';
import { reportJson } from '../../report/json.ts';
import type { Report } from '../../report/model.ts';
import { lineWidth } from '../../report/text-page.ts';
import { painter } from '../../report/text-wrap.ts';
import { checkText } from '../check-text.ts';
import { checkAll, exitCode } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError, wantsColour } from '../environment.ts';
import { type FileText, fixPreview } from '../fix-preview.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags {
  readonly publicKey?: readonly string[];
  readonly fixPreview?: true;
  readonly json?: true;
  readonly color: boolean;
}

const HELP = `
FILE is what describes one end or its machine, any mix: wg-quick files, RouterOS exports (with show-sensitive they tell
more), "wg show", "wg show all dump", RouterOS prints, and the listings of firewall, routes and sockets. Hand over both
ends: most faults are that the two do not fit.

Exit code: 0 no error, 1 an error was found, 2 wrong usage, or something that could not be read as it stands
(FILE:LINE:COLUMN).

Examples:
  wgwhy check client.conf server.conf
  wgwhy check phone.conf router-export.rsc --fix-preview`;

export function addCheckCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('say what is wrong with configurations, without a capture')
    .argument('<file...>', 'configurations, exports, outputs of wg and of the firewall')
    .addOption(publicKeyOption())
    .option('--fix-preview', 'show as a diff how the files would be mended; they stay as they are')
    .option('--json', 'the report as JSON')
    .option('--no-color', 'no colour even on a terminal')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runCheck(environment, [...new Set(files)], flags));
    });
}

async function runCheck(environment: Environment, paths: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stdout, stderr, columns, diagnose } = environment;
  if (paths.includes('-')) throw new UsageError('check reads files', 'save the text to a file first');
  await checkAll(environment, paths);
  const diagnosis = await diagnose(paths.map(fileSource), {
    crypto: nodeCrypto,
    publicKeys: parsePublicKeys(flags.publicKey ?? []),
  });
  const { report, usable } = diagnosis;
  const capture = report.inputs.find(({ kind }) => kind === 'capture');
  if (capture !== undefined) {
    throw new UsageError(`${capture.name} is a capture`, 'wgwhy diagnose takes captures and configurations together');
  }
  if (flags.json) stdout.write(reportJson(report));
  else {
    const page = {
      width: lineWidth(columns),
      paint: painter(wantsColour(environment, flags.color)),
    };
    (usable ? stdout : stderr).write(checkText(report, page));
    if (flags.fixPreview) stdout.write(preview(diagnosis, await texts(report)));
  }
  const code = exitCode(diagnosis);
  // what wg would not take is told as file:line:column; no finding is made of it
  return code === EXIT.fine && report.problems.some(({ remark }) => remark !== true) ? EXIT.unusable : code;
}

function preview({ report, tellsSecret }: Diagnosis, files: readonly FileText[]): string {
  const diff = fixPreview(report, files, tellsSecret);
  return diff === '' ? '\nno line of a file would mend it by itself\n' : `\n${diff}`;
}

async function texts({ inputs }: Report): Promise<FileText[]> {
  const files = inputs.filter(({ kind }) => kind === 'wg-conf');
  return Promise.all(files.map(async ({ id, name }) => ({ input: id, name, text: await readFile(name, 'utf8') })));
}
