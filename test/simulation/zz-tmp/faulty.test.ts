import { test } from 'vitest';
import { mkdirSync, writeFileSync } from 'node:fs';
import { FAULTS } from '../faulty.ts';
import { Simulation } from '../simulation.ts';
import { filesOf, reportOf } from '../files.ts';
test('x', async () => {
  const [a, b] = (process.env.R ?? '0-9').split('-').map(Number);
  for (const fault of FAULTS) {
  const t0 = performance.now(); const all = new Map(); const bads = new Map();
  for (let s = a; s <= b; s++) {
    const plan = fault.plan(s); const o = new Simulation(plan).run();
    if (o.faults.length) console.log(fault.name, s, o.faults.slice(0, 3));
    for (const view of ['client', 'server', 'both'] as const) {
      const files = filesOf(plan, o, view);
      const r = await reportOf(files, view);
      const bad = r.findings.filter((f) => f.severity !== 'info').map((f) => f.rule);
      const e = fault.expected[view];
      const line = `${view}: ${r.findings.map((f) => `${f.severity[0]}/${f.certainty[0]} ${f.rule}`).join(', ')}`;
      const ok = (bad.length === 0 ? e.first.some((x) => x === null || r.findings.some((f) => f.rule === x)) : e.first.includes(bad[0])) && bad.slice(1).every((x) => e.first.includes(x) || e.also?.includes(x));
      all.set((ok ? '  ' : '!! ') + line, [...(all.get((ok ? '  ' : '!! ') + line) ?? []), s]);
      if (!ok && process.env.DUMP) {
        const d = `/tmp/sim-cases/${fault.name.replaceAll(' ', '-')}-${s}-${view}`; mkdirSync(d, { recursive: true });
        for (const f of files) writeFileSync(`${d}/${f.name}`, f.bytes);
        writeFileSync(`${d}/findings.txt`, r.findings.map((f) => `${f.severity} ${f.certainty} ${f.rule} ${f.subject}\n   ${f.message}\n   ${f.frames.map((x) => x.input + x.frame).join(' ')}`).join('\n'));
      }
    }
  }
  console.log(fault.name, (performance.now() - t0) / (b - a + 1), '\n' + [...all].sort().map(([k, v]) => `${k} [${v}]`).join('\n'));
  }
}, 600000);
