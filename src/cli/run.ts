/** The command line as a function: arguments and an environment in, an exit code out. Never throws. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { rules } from '../diagnose/registry.ts';
import { systemClock } from '../io/clock.ts';
import { fastestOnNode } from '../io/fastest-crypto.ts';
import { FileError } from '../io/files.ts';
import { systemNetwork } from '../io/probe-network.ts';
import { systemRandom } from '../io/random.ts';
import { systemLookup } from '../io/resolve.ts';
import { diagnose } from '../report/diagnose.ts';
import { sanitise } from '../report/text-wrap.ts';
import { addAnonymiseCommand } from './commands/anonymise.ts';
import { addCheckCommand } from './commands/check.ts';
import { addDecryptCommand } from './commands/decrypt.ts';
import { addDiagnoseCommand } from './commands/diagnose.ts';
import { addDissectCommand } from './commands/dissect.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addKnownKeysCommand } from './commands/known-keys.ts';
import { addListenCommand } from './commands/listen.ts';
import { addProbeCommand } from './commands/probe.ts';
import { addReduceCommand } from './commands/reduce.ts';
import { addRulesCommand } from './commands/rules.ts';
import { addTimeCommand } from './commands/time.ts';
import { addTraceCommand } from './commands/trace.ts';
import { addUpCommand } from './commands/up.ts';
import { addVectorsCommand } from './commands/vectors.ts';
import { type Environment, EXIT, type ExitCode, type Terminal, UsageError } from './environment.ts';
import { refuseSecrets } from './secrets.ts';
import { untilSignal, upOnLinux } from './system.ts';

/** From the package itself, two levels above both `src/cli` and `dist/cli`. */
function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

/** `argv` without the interpreter and the script; what `given` leaves out is the real thing. */
export async function run(argv: readonly string[], given: Terminal & Partial<Environment>): Promise<ExitCode> {
  const tool = `wgwhy ${version()}`;
  const environment: Environment = {
    rules,
    diagnose: (sources, options) => diagnose(sources, { ...options, tool }),
    live: {
      // made when it is asked for: most commands need none
      get crypto() {
        return fastestOnNode();
      },
      random: systemRandom,
      clock: systemClock,
      network: systemNetwork,
      lookUp: systemLookup,
      bringUp: upOnLinux,
      untilSignal,
    },
    ...given,
  };
  let code: ExitCode = EXIT.fine;
  try {
    refuseSecrets(argv);
    const program = commandLine(environment, tool, (result) => {
      code = result;
    });
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return explain(environment, argv, tool, error);
  }
}

function commandLine(environment: Environment, tool: string, done: (code: ExitCode) => void): Command {
  const { stdout, stderr, columns } = environment;
  const program = new Command('wgwhy')
    .description('says exactly why WireGuard dropped a handshake or a packet')
    .version(tool, '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(sanitiseLines(text)),
      getOutHelpWidth: () => columns ?? 100,
      getErrHelpWidth: () => columns ?? 100,
    });
  addDiagnoseCommand(program, environment, done);
  addDissectCommand(program, environment, done);
  addListenCommand(program, environment, done);
  addReduceCommand(program, environment, tool, done);
  addCheckCommand(program, environment, done);
  addAnonymiseCommand(program, environment, done);
  addTimeCommand(program, environment, done);
  addDecryptCommand(program, environment, tool, done);
  addKnownKeysCommand(program, environment, tool, done);
  addProbeCommand(program, environment, tool, done);
  addUpCommand(program, environment, done);
  addTraceCommand(program, environment, tool, done);
  addVectorsCommand(program, environment, tool, done);
  addKeyCommands(program, environment, done);
  addRulesCommand(program, environment, done);
  return program;
}

const sanitiseLines = (text: string): string => text.split('\n').map(sanitise).join('\n');

/** What went wrong, in one line and its hints; a stack only for whoever asked for it. */
function explain({ stderr, env }: Environment, argv: readonly string[], tool: string, error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    const [first = ''] = argv;
    if (error.code === 'commander.unknownCommand' && /[./\\]/.test(first)) {
      stderr.write(`  to analyze a file: wgwhy diagnose ${sanitise(first)}\n`);
    }
    return error.exitCode === 0 ? EXIT.fine : EXIT.unusable;
  }
  const say = (message: string, hints: readonly string[]): void => {
    stderr.write([`wgwhy: ${sanitise(message)}`, ...hints.map((hint) => `  ${sanitise(hint)}`), ''].join('\n'));
  };
  if (error instanceof UsageError) say(error.message, error.hints);
  else if (error instanceof FileError)
    say(`${error.path}: ${error.message}`, error.hint === undefined ? [] : [error.hint]);
  else {
    const message = error instanceof Error ? error.message : String(error);
    say(`a defect in ${tool}, please report it: ${message}`, []);
    if (env['WGWHY_DEBUG'] === '1' && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`);
  }
  return EXIT.unusable;
}
