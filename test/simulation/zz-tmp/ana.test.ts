import { test } from 'vitest';
import { mkdirSync, writeFileSync } from 'node:fs';
import { planOf } from '../plan.ts';
import { Simulation } from '../simulation.ts';
import { filesOf, reportOf } from '../files.ts';
test('x', async () => {
  const [a, b] = (process.env.R ?? '0-60').split('-').map(Number);
  const dump = process.env.DUMP;
  for (const w of (process.env.W ?? 'clean,rough').split(',')) {
  const t0 = performance.now(); let ta = 0; const all = new Map();
  for (let s = a; s <= b; s++) {
    const plan = planOf(s, w as never); const o = new Simulation(plan).run();
    for (const view of ['client', 'server', 'both'] as const) {
      const t1 = performance.now();
      const files = filesOf(plan, o, view);
      const r = await reportOf(files, view);
      ta += performance.now() - t1;
      const bad = r.findings.filter((f) => f.severity !== 'info');
      for (const f of r.findings) { const k = `${view} ${f.severity} ${f.certainty} ${f.rule}`; const e = all.get(k) ?? []; e.push(s); all.set(k, e); }
      if (r.problems.length) console.log('problem', w, s, view, JSON.stringify(r.problems[0]));
      if (dump && bad.some((f) => (f.rule !== 'packet-loss'))) {
        const d = `/tmp/sim-cases/${w}-${s}-${view}`; mkdirSync(d, { recursive: true });
        for (const f of files) writeFileSync(`${d}/${f.name}`, f.bytes);
        writeFileSync(`${d}/findings.txt`, r.findings.map((f) => `${f.severity} ${f.certainty} ${f.rule} ${f.subject}\n   ${f.message}\n   ${f.frames.map((x) => x.input + x.frame).join(' ')}`).join('\n'));
      }
    }
  }
  console.log(w, 'ms/seed', (performance.now() - t0) / (b - a + 1), 'analysis', ta / (b - a + 1));
  console.log([...all].sort((x,y)=>x[0]<y[0]?-1:1).map(([k, v]) => `${k}: ${v.length} [${v.slice(0, 12)}]`).join('\n'));
  }
}, 600000);
