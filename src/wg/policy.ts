/** Where four implementations differ, as data (protocol facts: vectors/constants.json, vectors/drop_reasons.json). */
import {
  COOKIE_LIFETIME_MS,
  type Counter,
  INITIATION_MIN_GAP_MS,
  REJECT_AFTER_MESSAGES,
  REKEY_AFTER_MESSAGES,
  REKEY_ATTEMPT_TIME_MS,
  REKEY_TIMEOUT_JITTER_MAX_MS,
  REPLAY_WINDOW,
} from './constants.ts';
import type { RateRule } from './rate-limiter.ts';
import type { Tai64nForm } from './tai64n.ts';
import type { FloodRule } from './timestamp-gate.ts';

/** When a responder stops trusting source addresses (wp §5.3). */
export type LoadRule =
  /** This many handshakes wait; held for some time after it was last so. */
  | { readonly kind: 'queue'; readonly depth: number; readonly holdMs: number }
  /** More than this many with a right MAC1 in one second, from all sources together or from one. */
  | { readonly kind: 'rate'; readonly perSecond: number; readonly per: 'device' | 'source' };

/**
 * What a cookie binds. Only its maker reads it, so the forms need not agree. `secret-…`: a secret of 32 bytes that is
 * replaced when it is two minutes old; `epoch-…`: one secret of 16 bytes, and the number of the running 128 seconds.
 */
export type CookieForm = 'secret-ip-port-be' | 'secret-ip-port-le' | 'epoch-ip' | 'epoch-ip-port';

export type PolicyName = 'linux' | 'wireguard-go' | 'boringtun' | 'gotatun';

export interface Policy {
  readonly name: PolicyName;

  // receiving
  /** Reads one byte of the type and never the three behind it. */
  readonly ignoresReserved: boolean;
  /** Waiting handshakes at which the next is dropped; undefined without a queue. */
  readonly handshakeQueue: number | undefined;
  /** The same for data of one peer. */
  readonly dataQueue: number | undefined;
  readonly load: LoadRule;
  /** Behind a right MAC2; undefined for no such step. */
  readonly rateLimit: RateRule | undefined;
  readonly cookieForm: CookieForm;
  /** An all-zero shared secret ends a handshake (RFC 7748 §6.1). */
  readonly refusesZeroShared: boolean;
  readonly flood: FloodRule;
  /** Keeps the own initiation before the last: its response is still taken. */
  readonly keepsEarlierInitiation: boolean;
  /** Finds the peer, not the handshake, by index: a response to an index that has become a session meets a wrong state. */
  readonly indexFindsPeer: boolean;
  /** How far behind the greatest counter one may be. */
  readonly windowBits: number;
  /** Undefined for no limit, neither on receiving nor on sending. */
  readonly rejectAfterMessages: Counter | undefined;
  /** With its last counter a session ends for receiving: not even what the window has room for is opened (decrypt_packet). */
  readonly spentSessionEnds: boolean;
  /** The window is asked before opening as well as after. */
  readonly checksCounterFirst: boolean;
  /** A session of 180 s is refused as such, or was taken away by a timer. */
  readonly expiredSession: 'refused' | 'gone';
  /** Refuses an inner IPv4 length below 20. */
  readonly checksLeastLength: boolean;

  // cookies received
  readonly cookieUseMs: number;
  /** A good cookie spends the MAC1 it answered: a second one is refused. */
  readonly cookieOnce: boolean;
  /** The cookie must name the index of the message that carried the last MAC1, not just any of the peer's. */
  readonly cookieForLastOnly: boolean;
  readonly cookieMovesEndpoint: boolean;

  // sending
  readonly tai64n: Tai64nForm;
  readonly pads: boolean;
  /** The inner ECN bits on the outer packet, and AF41 on handshakes; else 0. */
  readonly setsTos: boolean;
  /** Packets that wait for a session. Differs: the kernel lets one more in before it drops. */
  readonly staged: { readonly limit: number; readonly drops: 'oldest' | 'newest' };
  /** What holds an initiation back: a handshake message less than 5 s ago, or an own initiation that is unanswered. */
  readonly spacing: 'last-sent' | 'in-progress';
  /** When retrying ends: after so many retries, or when the first initiation is so old. */
  readonly giveUp: { readonly by: 'retries'; readonly retries: number } | { readonly by: 'time'; readonly ms: number };
  /** A new packet for the peer begins the retries anew, so that with steady traffic they never end. */
  readonly packetRestartsRetries: boolean;

  // timers
  /** Jitter on REKEY_TIMEOUT, milliseconds, below this. */
  readonly jitterBelowMs: number;
  /** What 15 s without an answer count from. */
  readonly silenceFrom: 'first-unanswered' | 'last-received';
  readonly persistentKeepalive: 'after-traffic' | 'fixed';
  readonly rekeyAfterMessages: Counter | undefined;
  /** An age of exactly 120 s is old enough. */
  readonly rekeysAtExactAge: boolean;
  /** Timers are looked at this often; 0 for at once. */
  readonly tickMs: number;
}

/** 2^64 − 8130: 64-bit kernels take one window less than 2^64 (messages.h). */
const KERNEL_REJECT_AFTER_MESSAGES: Counter = { low: 0xffff_e03e, high: 0xffff_ffff };

const KERNEL_MAX_ENTRIES = 16_384;

export const LINUX: Policy = {
  name: 'linux',
  ignoresReserved: false,
  handshakeQueue: 4096,
  dataQueue: 1024,
  load: { kind: 'queue', depth: 512, holdMs: 1000 },
  rateLimit: { perSecond: 20, burst: 5, ipv6Bits: 64, strict: false, maxEntries: KERNEL_MAX_ENTRIES },
  cookieForm: 'secret-ip-port-be',
  refusesZeroShared: true,
  flood: { minGapMs: INITIATION_MIN_GAP_MS, refusesExactGap: false },
  keepsEarlierInitiation: false,
  indexFindsPeer: false,
  windowBits: REPLAY_WINDOW,
  rejectAfterMessages: KERNEL_REJECT_AFTER_MESSAGES,
  spentSessionEnds: true,
  checksCounterFirst: false,
  expiredSession: 'refused',
  checksLeastLength: true,
  cookieUseMs: COOKIE_LIFETIME_MS - 5000,
  cookieOnce: true,
  cookieForLastOnly: false,
  cookieMovesEndpoint: false,
  tai64n: { base: 10, whiten: true },
  pads: true,
  setsTos: true,
  staged: { limit: 128, drops: 'oldest' },
  spacing: 'last-sent',
  giveUp: { by: 'retries', retries: 19 },
  packetRestartsRetries: true,
  jitterBelowMs: REKEY_TIMEOUT_JITTER_MAX_MS,
  silenceFrom: 'first-unanswered',
  persistentKeepalive: 'after-traffic',
  rekeyAfterMessages: REKEY_AFTER_MESSAGES,
  rekeysAtExactAge: true,
  tickMs: 0,
};

export const WIREGUARD_GO: Policy = {
  ...LINUX,
  name: 'wireguard-go',
  handshakeQueue: 1024,
  dataQueue: undefined,
  load: { kind: 'queue', depth: 128, holdMs: 1000 },
  rateLimit: { perSecond: 20, burst: 5, ipv6Bits: 128, strict: true, maxEntries: KERNEL_MAX_ENTRIES },
  cookieForm: 'secret-ip-port-le',
  flood: { minGapMs: INITIATION_MIN_GAP_MS, refusesExactGap: true },
  rejectAfterMessages: REJECT_AFTER_MESSAGES,
  spentSessionEnds: false,
  cookieUseMs: COOKIE_LIFETIME_MS,
  cookieOnce: false,
  setsTos: false,
  jitterBelowMs: REKEY_TIMEOUT_JITTER_MAX_MS + 1,
  rekeysAtExactAge: false,
};

/** Differs: boringtun and gotatun hold eight sessions and number their slots; here they hold three, like all. */
export const GOTATUN: Policy = {
  ...WIREGUARD_GO,
  name: 'gotatun',
  ignoresReserved: true,
  handshakeQueue: undefined,
  load: { kind: 'rate', perSecond: 100, per: 'source' },
  rateLimit: undefined,
  cookieForm: 'epoch-ip-port',
  refusesZeroShared: false,
  flood: { minGapMs: 0, refusesExactGap: false },
  keepsEarlierInitiation: true,
  windowBits: 8191,
  checksCounterFirst: true,
  expiredSession: 'gone',
  cookieForLastOnly: true,
  tai64n: { base: 37, whiten: false },
  staged: { limit: 256, drops: 'newest' },
  spacing: 'in-progress',
  giveUp: { by: 'time', ms: REKEY_ATTEMPT_TIME_MS },
  packetRestartsRetries: false,
  rekeyAfterMessages: undefined,
};

export const BORINGTUN: Policy = {
  ...GOTATUN,
  name: 'boringtun',
  ignoresReserved: false,
  load: { kind: 'rate', perSecond: 100, per: 'device' },
  cookieForm: 'epoch-ip',
  indexFindsPeer: true,
  windowBits: 1023,
  rejectAfterMessages: undefined,
  checksLeastLength: false,
  cookieMovesEndpoint: true,
  pads: false,
  jitterBelowMs: 0,
  silenceFrom: 'last-received',
  persistentKeepalive: 'fixed',
  tickMs: 250,
};

export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  linux: LINUX,
  'wireguard-go': WIREGUARD_GO,
  boringtun: BORINGTUN,
  gotatun: GOTATUN,
};
