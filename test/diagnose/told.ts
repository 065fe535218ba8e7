/** What the whole analysis says of made captures: bytes and texts through `diagnose`, findings as short lines. */
import type { At } from '../../src/analyze/vantage.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { diagnose, type Source } from '../../src/report/diagnose.ts';
import type { ReportFinding } from '../../src/report/model.ts';
import { type Asked, type AskOptions, answer, ask } from './handshakes.ts';
import { back, capture, data, type Sent, STUN, there } from './traffic.ts';

export interface Made {
  /** One capture, input `a`. */
  readonly packets?: readonly Sent[];
  readonly at?: At;
  /** Or two: client.pcap at the initiator, input `a`, and server.pcap at the responder, input `b`. */
  readonly client?: readonly Sent[];
  readonly server?: readonly Sent[];
  /** File name to its text. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Told {
  /** `error proven key-changed`, as they stand in the report. */
  readonly lines: readonly string[];
  /** Names of rules that fired and were hidden by a sharper one. */
  readonly hidden: readonly string[];
  finding(rule: string): Brief | undefined;
}

/** A finding without its sentences. */
export interface Brief extends Pick<ReportFinding, 'severity' | 'certainty' | 'subject' | 'facts'> {
  /** `a1 a3` */
  readonly frames: string;
}

export async function tell({ packets, client, server, at, files = {} }: Made): Promise<Told> {
  const captures = Object.entries({ 'a.pcap': packets, 'client.pcap': client, 'server.pcap': server }).flatMap(
    ([name, sent]) => (sent === undefined ? [] : [source(name, capture(inOrder(sent)))]),
  );
  const sides = new Map<string, At>([
    ['client.pcap', 'initiator'],
    ['server.pcap', 'responder'],
  ]);
  const texts = Object.entries(files).map(([name, text]) => source(name, utf8(text)));
  const { report } = await diagnose([...captures, ...texts], { at: at ?? sides, crypto: nodeCrypto });
  return {
    lines: report.findings.map(({ severity, certainty, rule }) => `${severity} ${certainty} ${rule}`),
    hidden: report.hidden.map(({ rule }) => rule),
    finding: (rule) => {
      const found = report.findings.find((finding) => finding.rule === rule);
      if (found === undefined) return undefined;
      const { severity, certainty, subject, facts, frames } = found;
      return {
        severity,
        certainty,
        subject,
        facts,
        frames: frames.map(({ input, frame }) => `${input}${frame}`).join(' '),
      };
    },
  };
}

function source(name: string, bytes: Uint8Array): Source {
  return {
    name,
    async *open() {
      yield bytes;
    },
  };
}

function inOrder(packets: readonly Sent[]): Sent[] {
  return [...packets].sort((a, b) => a.at - b.at);
}

/** A packet of other hosts: the capture was still running. */
export function running(at: number): Sent {
  return { at, from: { ip: [192, 0, 2, 7], port: 3478 }, to: { ip: [192, 0, 2, 8], port: 9 }, payload: STUN };
}

/** First data of a session each way: nothing in it asks for an answer. */
export function used(at: number, initiator: number, responder: number): Sent[] {
  return [there(at, data(responder, 0, 32)), back(at + 0.02, data(initiator, 0, 32))];
}

/** A handshake, and its first data: indices `n` and `0x100 + n`. */
export function works(at: number, n: number, options: AskOptions = {}): Sent[] {
  const asked = ask(at, n, options);
  return [asked, answer(asked, 0x100 + n), ...used(at + 0.05, n, 0x100 + n)];
}

/** An initiation and two retries, indices from `n` on. */
export function tries(at: number, n: number, options: AskOptions = {}): [Asked, Asked, Asked] {
  return [ask(at, n, options), ask(at + 5.2, n + 1, options), ask(at + 10.4, n + 2, options)];
}
