/** Every rule of the timers as one line: what happens, and when what goes out (wp §6; figures of the kernel). Seconds. */
import { expect, test } from 'vitest';
import { BORINGTUN, LINUX, type Policy, WIREGUARD_GO } from '../../src/wg/policy.ts';
import { drops, INNER_A, INNER_B, ipv4, Link, type PairOptions, pair, type Script } from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const TO_A = ipv4(INNER_B, INNER_A);

function linkOf(policy: Policy = LINUX, options: PairOptions = {}, script: Script = {}): Link {
  return new Link(pair({ ...options, a: { policy, script, ...options.a }, b: { policy, ...options.b } }));
}

/** A session between a, the initiator, and b; both sides have sent and received nothing since. At 0.02 s. */
function established(policy: Policy = LINUX, options: PairOptions = {}): Link {
  const link = linkOf(policy, options);
  link.send('a', TO_B);
  link.runTo(40);
  expect(link.log()).toEqual(['0 a initiation', '0.01 b response', '0.02 a data']);
  return link;
}

const FROM_MS = 41;

interface Row {
  readonly rule: string;
  readonly policy?: Policy;
  readonly options?: PairOptions;
  /** Goes on from {@link established}; what it gives back is the time up to which to look. */
  readonly act: (link: Link) => void;
  readonly untilS: number;
  /** What was sent after the handshake. */
  readonly sent: readonly string[];
}

const deafTo =
  (...messages: readonly string[]) =>
  (seen: { readonly message: string }): boolean =>
    messages.includes(seen.message);

const rows: readonly Row[] = [
  {
    rule: '2: data received, nothing sent: a keepalive after 10 s',
    act: () => undefined,
    untilS: 60,
    sent: ['10.03 b keepalive'],
  },
  {
    rule: '2: an answer in time cancels the keepalive',
    act: (link) => {
      link.runTo(5000);
      link.send('b', TO_A);
    },
    untilS: 60,
    sent: ['5 b data', '15.01 a keepalive'],
  },
  {
    rule: '2: data while the keepalive waits: one more, 10 s after the first',
    act: (link) => {
      for (const ms of [1000, 2000, 3000]) {
        link.runTo(ms);
        link.send('a', TO_B);
      }
    },
    untilS: 60,
    sent: ['1 a data', '2 a data', '3 a data', '10.03 b keepalive', '20.03 b keepalive'],
  },
  {
    rule: '2: a keepalive is not answered by a keepalive',
    act: () => undefined,
    untilS: 100,
    sent: ['10.03 b keepalive'],
  },
  {
    rule: '3: data sent and nothing heard for 15 s: a new handshake',
    act: (link) => {
      link.runTo(20_000);
      link.loses = ({ who }) => who === 'b';
      link.send('a', TO_B);
    },
    untilS: 36,
    sent: ['10.03 b keepalive', '20 a data', '30.01 b keepalive', '35 a initiation', '35.01 b response'],
  },
  {
    rule: '3: counted from the first unanswered data, not the last',
    act: (link) => {
      link.runTo(20_000);
      link.loses = () => true;
      for (const ms of [20_000, 25_000, 30_000]) {
        link.runTo(ms);
        link.send('a', TO_B);
      }
    },
    untilS: 36,
    sent: ['10.03 b keepalive', '20 a data', '25 a data', '30 a data', '35 a initiation'],
  },
  {
    rule: '3: a keepalive of our own wants no answer',
    act: (link) => {
      link.runTo(15_000);
      link.send('b', TO_A);
    },
    untilS: 100,
    sent: ['10.03 b keepalive', '15 b data', '25.01 a keepalive'],
  },
  {
    rule: '3: boringtun counts from what it last heard, so the next tick may be due',
    policy: BORINGTUN,
    act: (link) => {
      link.runTo(30_000);
      link.send('a', TO_B);
    },
    untilS: 30.255,
    sent: ['10.25 b keepalive', '30 a data', '30.25 a initiation'],
  },
  {
    rule: '5: an initiator that sends at 120 s makes the next session',
    act: (link) => {
      for (const ms of [119_000, 120_020]) {
        link.runTo(ms);
        link.send('a', TO_B);
      }
      link.runTo(121_000);
      link.send('a', TO_B);
    },
    untilS: 122,
    sent: [
      '10.03 b keepalive',
      '119 a data',
      '120.02 a data',
      '120.02 a initiation',
      '120.03 b response',
      '120.04 a keepalive',
      '121 a data',
    ],
  },
  {
    rule: '5: wireguard-go rekeys only when older than 120 s',
    policy: WIREGUARD_GO,
    act: (link) => {
      for (const ms of [120_020, 120_021]) {
        link.runTo(ms);
        link.send('a', TO_B);
      }
    },
    untilS: 120.025,
    sent: ['10.03 b keepalive', '120.02 a data', '120.021 a data', '120.021 a initiation'],
  },
  {
    rule: '5: a responder never rekeys by time',
    act: (link) => {
      link.runTo(125_000);
      link.send('b', TO_A);
    },
    untilS: 130,
    sent: ['10.03 b keepalive', '125 b data'],
  },
  {
    rule: '5: more than REKEY_AFTER_MESSAGES sent, in either role',
    policy: { ...LINUX, rekeyAfterMessages: { low: 2, high: 0 } },
    act: (link) => {
      for (const ms of [6000, 6001, 6002]) {
        link.runTo(ms);
        link.send('b', TO_A);
      }
    },
    untilS: 6.01,
    sent: ['6 b data', '6.001 b data', '6.002 b data', '6.002 b initiation'],
  },
  {
    rule: '6: an initiator that receives at 165 s makes the next session, once',
    act: (link) => {
      link.loses = deafTo('initiation');
      for (const ms of [164_000, 165_010, 167_000]) {
        link.runTo(ms);
        link.send('b', TO_A);
      }
    },
    untilS: 170.3,
    sent: [
      '10.03 b keepalive',
      '164 b data',
      '165.01 b data',
      '165.02 a initiation',
      '167 b data',
      '170.02 a initiation',
    ],
  },
  {
    rule: '7: at 180 s neither sends: data waits for a new session',
    act: (link) => {
      link.runTo(180_020);
      link.send('a', TO_B);
    },
    untilS: 180.1,
    sent: ['10.03 b keepalive', '180.02 a initiation', '180.03 b response', '180.04 a data'],
  },
  {
    rule: '4: a persistent keepalive counts from the last authenticated packet',
    options: { keepaliveA: 25 },
    act: (link) => {
      link.runTo(30_000);
      link.send('a', TO_B);
    },
    untilS: 70,
    sent: ['10.03 b keepalive', '30 a data', '40.01 b keepalive', '65.02 a keepalive'],
  },
  {
    rule: '4: boringtun’s is sent at fixed intervals',
    policy: BORINGTUN,
    options: { keepaliveA: 25 },
    act: (link) => {
      link.runTo(12_000);
      link.send('a', TO_B);
    },
    untilS: 60,
    sent: ['10.25 b keepalive', '12 a data', '22.25 b keepalive', '25 a keepalive', '50 a keepalive'],
  },
  {
    rule: '12: a cookie reply neither stops nor hastens the retransmission',
    act: (link) => {
      link.runTo(200_000);
      link.loses = ({ message }) => message === 'initiation';
      link.send('a', TO_B);
      const { bytes } = link.seen.at(-1) ?? expect.fail();
      const step = link.b.datagram(bytes, link.a.address, 200_000, 600);
      expect(link.took('b', step).verdict).toMatchObject({ drop: { kind: 'cookie-demanded' } });
    },
    untilS: 206,
    sent: ['10.03 b keepalive', '200 a initiation', '200 b cookie-reply', '205 a initiation'],
  },
];

test.each(rows)('rule $rule', ({ policy, options, act, untilS, sent }) => {
  const link = linkOf(policy, options);
  if (options?.keepaliveA === undefined) link.send('a', TO_B);
  else link.took('a', pairStart(link));
  link.runTo(40);
  act(link);
  link.runTo(untilS * 1000);
  expect(link.log(FROM_MS)).toEqual(sent);
});

/** With a persistent keepalive the first initiation went out when it was configured: let a say it again. */
function pairStart(link: Link) {
  link.took('a', { verdict: { kind: 'done' }, effects: link.a.effects.filter(({ kind }) => kind === 'send') });
  return link.a.packet(TO_B, 0);
}

test('6: what is received later asks for nothing more, until a handshake completes', () => {
  const link = established();
  link.loses = ({ message }) => message === 'initiation';
  for (const ms of [166_000, 167_000, 168_000]) {
    link.runTo(ms);
    link.send('b', TO_A);
  }
  link.runTo(168_100);
  expect(drops(link.a)).toEqual([]);
  expect(link.log(166_001)).toEqual(['166.01 a initiation', '167 b data', '168 b data']);
});

test('6: and once again in the next session', () => {
  const link = established();
  for (const ms of [166_000, 166_100 + 166_000]) {
    link.runTo(ms);
    link.send('b', TO_A);
    link.runTo(ms + 100);
  }
  const made = link.seen.filter(({ message }) => message === 'initiation').map(({ ms }) => ms);
  expect(made).toEqual([0, 166_010, 332_110]);
});
