/** Outputs as people paste them, with keys made for these tests. */
import { readFileSync } from 'node:fs';

export function sample(name: string): string {
  return readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');
}

/** Pairs made for these tests, private key first. */
export const KEYS = [
  ['mGRLQ2Z1P0nkUn/xHk3ntTiznWYVghps6lXwDi8K4Fw=', 'IuhDf01HadTyRD8809kLhOBf3xB+3aRrG+oiCqnhlyo='],
  ['+IG/D/vhA7lR/Sr2FjglcKfnKQuPnTXuwksNLvGkWFI=', 'OGelzL+oiIpUCYbW3sq+Ai7jBwB6+puDw4AOKvS6Njk='],
  ['6I1+9Eh+ND44zezMI+XgYdMJBV+dxJIwUtwQ2BTis3g=', 'EH5afHvkU01wgkcy3kfHxjPuSoe3kVLcYfpmXLbUR0M='],
] as const;
export const PSK = 'eGLJtZC/wnDlmH/xOmTsJ0+Hpkyczf+cVGCtCvlnhmI=';

const SECRETS = [...KEYS.map(([secret]) => secret), PSK];

/** Every way in which a value may end up in an output. */
export function secretsIn(value: unknown): string[] {
  const shown = [JSON.stringify(value), String(value)].join('\n');
  return SECRETS.filter((secret) => shown.includes(secret));
}
