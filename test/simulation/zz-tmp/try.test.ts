import { test } from 'vitest';
import { planOf } from '/work/main/test/simulation/plan.ts';
import { Simulation } from '/work/main/test/simulation/simulation.ts';
import { judge } from '/work/main/test/simulation/judge.ts';
test('x', () => {
  const [a, b] = (process.env.R ?? '0-30').split('-').map(Number);
  for (const w of (process.env.W ?? 'clean,rough,wild').split(',')) {
  const t0 = performance.now(); let hs = 0, pk = 0, inj = 0, del = 0; const ref = new Map(); let bad=0;
  for (let s = a; s <= b; s++) {
    const plan = planOf(s, w as never); const sim = new Simulation(plan); const o = sim.run(); const f = judge(plan, o);
    for (const h of o.hosts) { hs += h.handshakes; for (const [k, v] of h.refused) ref.set(k, (ref.get(k) ?? 0) + v); }
    pk += o.sent.length; inj += o.injected; del += o.sent.filter((x) => x.deliveredMs !== undefined).length;
    if (f.length && bad++<8) console.log(w, s, f.length, f.slice(0, 3).join('\n   '));
  }
  console.log(w, 'bad',bad, 'ms/seed', (performance.now() - t0) / (b - a + 1), { hs, pk, del, inj }, JSON.stringify([...ref]));
  }
}, 600000);
