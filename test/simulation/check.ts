/** One seed, run and judged: what is wrong in a line each, so that a failing test says which seed to run alone. */
import type { Report } from '../../src/report/model.ts';
import type { Expected, Fault } from './faulty.ts';
import { filesOf, reportOf, type View } from './files.ts';
import { judge } from './judge.ts';
import { planOf, type Span, type Weather } from './plan.ts';
import { type Outcome, type Plan, Simulation } from './simulation.ts';

export const VIEWS: readonly View[] = ['client', 'server', 'both'];

/** Several crossings in a row are what two ends that both begin must expect: FINDINGS has them as a warning. */
const HONEST: Readonly<Record<Exclude<Weather, 'wild'>, readonly string[]>> = {
  clean: ['crossing-initiations'],
  rough: ['crossing-initiations', 'packet-loss'],
};

/** Nothing that these networks do can be the cause of any of these. */
const IMPOSSIBLE = new Set([
  'allowedips-missing-address',
  'allowedips-overlap',
  'capture-damaged',
  'capture-truncated',
  'endpoint-port-mismatch',
  'key-mismatch',
  'key-role-swap',
  'malformed-message',
  'mtu-blackhole',
  'not-wireguard',
  'obfuscated',
  'outer-fragmentation',
  'packet-unsealable',
  'peer-header-missing',
  'psk-differs',
  'static-unsealable',
  'timestamp-unsealable',
  'unknown-initiator',
  'weak-shared-secret',
  'wrong-responder-key',
]);

export interface Ran {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly faults: string[];
}

export function run(plan: Plan, label: string): Ran {
  const outcome = new Simulation(plan).run();
  return { plan, outcome, faults: judge(plan, outcome).map((text) => `${label} seed ${plan.seed}: ${text}`) };
}

const serious = ({ findings }: Report) => findings.filter(({ severity }) => severity !== 'info');

/** What the engine and then the analyzer did wrong in this weather, seen from these places. */
export async function checkWeather(
  seed: number,
  weather: Weather,
  views: readonly View[],
  span: Span = 'full',
): Promise<string[]> {
  const { plan, outcome, faults } = run(planOf(seed, weather, span), weather);
  for (const view of views) {
    const report = await reportOf(filesOf(plan, outcome, view, seed % 2 === 0), view);
    const wrong = serious(report).filter(({ rule }) =>
      weather === 'wild' ? IMPOSSIBLE.has(rule) : !HONEST[weather].includes(rule),
    );
    for (const { severity, certainty, rule, message } of wrong) {
      faults.push(`${weather} seed ${seed} from ${view}: ${severity} ${certainty} ${rule}: ${message}`);
    }
    for (const { input, message } of report.problems) faults.push(`${weather} seed ${seed}: ${input}: ${message}`);
  }
  return faults;
}

export async function checkFault(fault: Fault, seed: number, views: readonly View[]): Promise<string[]> {
  const { plan, outcome, faults } = run(fault.plan(seed), fault.name);
  for (const view of views) {
    const report = await reportOf(filesOf(plan, outcome, view), view);
    for (const text of against(report, fault.expected[view])) {
      faults.push(`${fault.name} seed ${seed} from ${view}: ${text}`);
    }
  }
  return faults;
}

function against(report: Report, { first, also = [] }: Expected): string[] {
  const [top, ...rest] = serious(report);
  const raised = report.findings.map(({ rule }) => rule);
  // a rule that only informs may be what is right to say
  const fits =
    top === undefined ? first.some((rule) => rule === null || raised.includes(rule)) : first.includes(top.rule);
  const wrong = fits ? [] : [`${top?.rule ?? 'nothing'} stands first, not ${first.join(' or ')}`];
  for (const { rule } of fits ? rest : []) {
    if (!first.includes(rule) && !also.includes(rule)) wrong.push(`${rule} stands beside it`);
  }
  return wrong;
}
