/** `npm run demo`: a real failed handshake from the repository, diagnosed as a user would. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from './environment.ts';
import { run } from './run.ts';

const FILES = ['client.pcap', 'server.pcap', 'client.conf', 'server.conf'];

const folder = new URL('../../vectors/lab/wrong-server-key/', import.meta.url);
const paths = FILES.map((name) => relative(process.cwd(), fileURLToPath(new URL(name, folder))));

async function demo(): Promise<number> {
  const { stdout, stderr } = process;
  if (!existsSync(folder)) {
    stderr.write('the demo needs the repository: its capture is not in the published package\n');
    return EXIT.unusable;
  }
  stdout.write(`$ wgwhy diagnose ${paths.join(' ')}\n\n`);
  const code = await run(['diagnose', ...paths], {
    stdout,
    stderr,
    stdin: () => process.stdin,
    isTTY: { stdin: false, stdout: stdout.isTTY ?? false, stderr: stderr.isTTY ?? false },
    columns: stdout.columns,
    env: process.env,
  });
  if (code === EXIT.found) return EXIT.fine;
  stderr.write(`the demo ended with exit code ${code}; an error finding (${EXIT.found}) was expected\n`);
  return EXIT.unusable;
}

process.exitCode = await demo();
