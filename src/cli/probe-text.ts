/** A probe's result for people and for programs. Neither holds a secret. */
import { toBase64 } from '../base/base64.ts';
import type { Attempt, ProbeResult } from '../io/probe.ts';
import { pad, sanitise, sanitiseAll, widthOf, wrap } from '../report/text-wrap.ts';
import { type Chosen, peerName } from './probe-input.ts';
import { ms, type OtherEnd, type Said } from './probe-verdict.ts';
import { faultInWords, icmpInWords } from './probe-words.ts';

export interface ProbeAnswer {
  readonly chosen: Chosen;
  readonly said: Said;
  readonly result: ProbeResult | undefined;
  readonly others: readonly OtherEnd[];
}

export function probeText({ chosen, said, result, others }: ProbeAnswer, width: number): string {
  const attempts = result?.attempts ?? [];
  // Silence gives them as its causes.
  const allFaults = others.flatMap(({ path, rehearsal }) => rehearsal.faults.map((fault) => faultInWords(path, fault)));
  const faults = said.verdict === 'silent' ? [] : allFaults;
  const lines = [
    ...wrap(said.message, width, '', '  '),
    ...wrap(`asked: ${peerName(chosen)}`, width, '  '),
    ...section(
      'addresses tried',
      table(attempts.map(({ endpoint, ...rest }) => [endpoint.text, attemptInWords(rest)])),
    ),
    ...section(
      'by the configurations',
      faults.flatMap((fault) => wrap(fault, width, '  - ')),
    ),
    ...section(
      'what it can be, the likeliest first',
      said.causes.flatMap(({ cause, check }) => [...wrap(cause, width, '  - '), ...wrap(check, width, '      ')]),
    ),
    ...section(
      'note',
      said.notes.flatMap((note) => wrap(note, width, '  - ')),
    ),
  ];
  return `${lines.map(sanitise).join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const wide = Math.max(0, ...rows.map(([name]) => widthOf(name)));
  return rows.map(([name, text]) => `  ${pad(name, wide)}  ${text}`);
}

function attemptInWords({ outcome, initiations, cookies }: Omit<Attempt, 'endpoint'>): string {
  const sent = initiations === 0 ? 'nothing sent' : `${initiations} initiation${initiations === 1 ? '' : 's'}`;
  const asked = cookies === 0 ? sent : `${sent}, ${cookies} cookie${cookies === 1 ? '' : 's'}`;
  switch (outcome.kind) {
    case 'answered':
      return `${asked}, answered in ${ms(outcome.afterMs)}, confirmed with a keepalive`;
    case 'unopened':
      return `${asked}, a response that does not open`;
    case 'error':
      return `${asked}, ${icmpInWords(outcome.code, outcome.icmp).what}`;
    case 'silent':
      return `${asked}, no answer`;
    case 'untried':
      return asked;
  }
}

/** `wgwhy/probe/1`. */
export function probeJson({ chosen, said, result, others }: ProbeAnswer, tool: string): string {
  const { verdict, message, causes, notes } = said;
  const value = {
    schema: 'wgwhy/probe/1',
    tool,
    verdict,
    message,
    peer: {
      file: chosen.file.path,
      line: chosen.peer.line,
      publicKey: toBase64(chosen.peer.publicKey.value),
      endpoint: `${chosen.peer.endpoint.value.host}:${chosen.peer.endpoint.value.port}`,
    },
    attempts: (result?.attempts ?? []).map(({ endpoint, initiations, cookies, refused, outcome }) => ({
      endpoint: endpoint.text,
      initiations,
      cookies,
      refused,
      outcome: plain(outcome),
    })),
    ...(result?.ping === undefined ? {} : { ping: result.ping }),
    ...(result?.pathMtu === undefined ? {} : { pathMtu: result.pathMtu }),
    configurations: others.map(({ path, rehearsal }) => ({
      file: path,
      faults: rehearsal.faults.map((fault) => ({ kind: fault.kind, message: faultInWords(path, fault) })),
    })),
    causes,
    notes,
  };
  return `${JSON.stringify(sanitiseAll(value), undefined, 2)}\n`;
}

function plain(outcome: Attempt['outcome']): object {
  if (outcome.kind === 'answered') {
    const { kind, afterMs, from, withMac2 } = outcome;
    return { kind, afterMs, from: from.text, withMac2 };
  }
  if (outcome.kind === 'unopened') return { kind: outcome.kind, fits: outcome.fits ?? null, tried: outcome.tried };
  return outcome.kind === 'untried' ? { kind: outcome.kind, drop: outcome.drop?.kind ?? null } : outcome;
}
