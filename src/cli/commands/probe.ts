/** `wgwhy probe`: a real handshake from user space, and what came of it. */
import type { Command } from 'commander';
import { type KeyFile, readKeyFile } from '../../io/conf-files.ts';
import { FileError } from '../../io/files.ts';
import { type ProbeProgress, probe } from '../../io/probe.ts';
import { isResponder, rehearse } from '../../io/rehearse.ts';
import { resolveEndpoint } from '../../io/resolve.ts';
import { lineWidth } from '../../report/text-page.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { type Chosen, candidates, checkClock, choose, pingPlan, targetOf } from '../probe-input.ts';
import { type ProbeAnswer, probeJson, probeText } from '../probe-text.ts';
import { judge, type OtherEnd, unresolved } from '../probe-verdict.ts';
import { problemText } from '../problem-text.ts';

interface Flags {
  readonly peer?: string;
  readonly tries: string;
  readonly ping?: string;
  readonly pathMtu?: true;
  readonly json?: true;
}

const HELP = `
CONF is the wg-quick file of this end; its keys are used, no interface is needed and no root. Further files help to
name the cause: the responder's configuration is checked against ours at once, and preshared keys of any file are
tried on a response that does not open.

It is a real handshake: if a client with the same key runs elsewhere, the responder sends its packets here until that
client's next handshake, and the greatest timestamp it takes from this key is now. So the clock must be right.

Exit code: 0 answered (and pinged, with --ping), 1 refused or silent, 2 wrong usage.

Examples:
  wgwhy probe /etc/wireguard/wg0.conf
  wgwhy probe client.conf server.conf --ping 10.0.0.1`;

const MOST_TRIES = 20;

export function addProbeCommand(
  program: Command,
  environment: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  program
    .command('probe')
    .description('make a real handshake and say what came of it')
    .argument('<conf>', 'the wg-quick configuration to probe with')
    .argument('[file...]', "the responder's configuration, other configurations, key logs")
    .option('--peer <KEY>', 'which peer: its public key or the beginning of it, its name, or its host')
    .option('--tries <N>', 'initiations to each address, 5 seconds apart', '3')
    .option('--ping <ADDRESS>', 'then send echoes to this address through the tunnel')
    .option('--path-mtu', 'and echoes of growing size, to find the largest packet that passes')
    .option('--json', 'the result as JSON')
    .addHelpText('after', HELP)
    .action(async (conf: string, files: readonly string[], flags: Flags) => {
      done(await runProbe(environment, tool, [conf, ...files], flags));
    });
}

async function runProbe(
  environment: Environment,
  tool: string,
  paths: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const { live, stdout, columns } = environment;
  const tries = triesOf(flags.tries);
  const files = await readAll([...new Set(paths)]);
  const [own] = files;
  if (own === undefined) throw new UsageError('which configuration');
  const chosen = choose(own, flags.peer);
  const ping = pingPlan(chosen, flags);
  checkClock(live.clock.now(), files);

  const resolved = await resolveEndpoint(chosen.peer.endpoint.value, live.lookUp);
  const endpoints = resolved.ok ? resolved.value : [];
  const target = targetOf(chosen, endpoints);
  const others = rehearseAll(environment, chosen, files.slice(1));
  let answer: ProbeAnswer;
  if (resolved.ok) {
    const result = await probe(live, {
      target,
      candidates: candidates(chosen, files),
      tries,
      ...(ping === undefined ? {} : { ping }),
      onProgress: (progress) => tell(environment, progress),
    });
    answer = { chosen, said: judge(chosen, result, others), result, others };
  } else answer = { chosen, said: unresolved(resolved.error), result: undefined, others };
  const width = lineWidth(columns);
  stdout.write(flags.json ? probeJson(answer, tool) : probeText(answer, width));
  return answer.said.verdict === 'answered' ? EXIT.fine : EXIT.found;
}

function triesOf(text: string): number {
  const tries = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (tries >= 1 && tries <= MOST_TRIES) return tries;
  throw new UsageError(`--tries takes a number from 1 to ${MOST_TRIES}`);
}

/** All files, all faults at once; what is no configuration and no key log is of no use here. */
async function readAll(paths: readonly string[]): Promise<KeyFile[]> {
  const faults: string[] = [];
  const files: KeyFile[] = [];
  for (const path of paths) {
    try {
      const file = await readKeyFile(path);
      if (file.conf === undefined && file.keyLog === undefined) {
        faults.push(`${path}: this is no configuration and no key log (${file.kind})`);
      } else files.push(file);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      faults.push(problemText(path, error));
    }
  }
  if (faults.length > 0) throw new UsageError('a file cannot be used', ...faults);
  return files;
}

function rehearseAll({ live }: Environment, chosen: Chosen, files: readonly KeyFile[]): OtherEnd[] {
  const target = targetOf(chosen, []);
  const port = chosen.peer.endpoint.value.port;
  return files.flatMap(({ path, conf }) => {
    if (conf === undefined || !isResponder(live.crypto, target, conf)) return [];
    const rehearsal = rehearse(live, target, conf, port, live.clock.now());
    return rehearsal === undefined ? [] : [{ path, rehearsal }];
  });
}

/** Only for a person who waits: silence takes a quarter of a minute. */
function tell({ isTTY, stderr }: Environment, progress: ProbeProgress): void {
  if (!isTTY.stderr) return;
  if (progress.kind === 'sent') stderr.write(`initiation ${progress.initiation} to ${progress.to.text}\n`);
  else stderr.write(`cookie from ${progress.from.text}: it is under load, the next initiation carries it\n`);
}
