/** What `wgwhy probe` is asked to do, made of files and options: whose keys, which peer, where to, and what to try. */
import { type Endpoint, formatIp, inPrefix, parseIp } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import { shortKey, ZERO_PSK } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import type { WgConf, WgPeer } from '../config/wg-conf.ts';
import { type KeyFile, pskCandidates } from '../io/conf-files.ts';
import type { ProbeOptions, ProbeTarget } from '../io/probe.ts';
import type { PskCandidate } from '../io/psk-trial.ts';
import { UsageError } from './environment.ts';
import { problemText } from './problem-text.ts';
import { KEY_SHAPED, SEEN } from './secrets.ts';

/** The configuration probed with, and the peer of it that is asked. */
export interface Chosen {
  readonly file: KeyFile;
  readonly conf: WgConf;
  readonly secret: ProbeTarget['secret'];
  readonly peer: WgPeer & Required<Pick<WgPeer, 'publicKey' | 'endpoint'>>;
}

/** `client.conf [Peer] line 8 (45CVYd…zlU=)` */
export function peerName({ file, peer }: Chosen): string {
  return `${file.path} [Peer] line ${peer.line} (${shortKey(peer.publicKey.value)})`;
}

const said = ({ path, problems }: KeyFile): string[] =>
  problems.slice(0, 5).map(({ line = 1, message, hint }) => problemText(path, { line, message, hint }));

export function choose(file: KeyFile, wanted: string | undefined): Chosen {
  const { conf, path } = file;
  if (conf === undefined) {
    throw new UsageError(`${path} is not a WireGuard configuration`, 'hand over the wg-quick file of this end first');
  }
  const secret = conf.interface.privateKey?.value;
  if (secret === undefined) throw new UsageError(`${path} has no PrivateKey to probe with`, ...said(file));
  const peer = choosePeer(file, conf, wanted);
  const { publicKey, endpoint } = peer;
  if (publicKey === undefined) throw new UsageError(`the peer on line ${peer.line} has no PublicKey`, ...said(file));
  if (endpoint === undefined) {
    throw new UsageError(
      `${path} has no Endpoint for the peer on line ${peer.line}`,
      'a peer without one connects to us: run the probe at the other end, with its configuration',
    );
  }
  return { file, conf, secret, peer: { ...peer, publicKey, endpoint } };
}

function choosePeer(file: KeyFile, { peers }: WgConf, wanted: string | undefined): WgPeer {
  const fitting = wanted === undefined ? peers : peers.filter((peer) => isMeant(peer, wanted));
  const reachable = fitting.filter(({ endpoint }) => endpoint !== undefined);
  const [one, another] = reachable.length > 0 ? reachable : fitting;
  if (one !== undefined && another === undefined) return one;
  const list = peers.slice(0, 10).map(({ line, publicKey, comment, endpoint }) => {
    const key = publicKey === undefined ? 'no key' : shortKey(publicKey.value);
    const name = comment === undefined ? '' : `, ${comment}`;
    return `line ${line}: ${key}${name}${endpoint === undefined ? ', without Endpoint' : ''}`;
  });
  if (peers.length === 0) throw new UsageError(`${file.path} has no [Peer] to ask`, ...said(file));
  throw new UsageError(
    one === undefined
      ? `no peer of ${file.path} is the one that --peer names`
      : `${file.path} has ${reachable.length || fitting.length} peers that could be asked`,
    'name one: --peer KEY, the beginning of its key, its name in a comment, or the host of its endpoint',
    ...(one === undefined && KEY_SHAPED.test(wanted ?? '') ? [SEEN] : []),
    ...list,
  );
}

const LEAST_KEY_PREFIX = 4;

function isMeant({ publicKey, comment, endpoint }: WgPeer, wanted: string): boolean {
  const key = publicKey === undefined ? '' : toBase64(publicKey.value);
  const byKey = wanted.length >= LEAST_KEY_PREFIX && key.startsWith(wanted);
  return byKey || comment?.toLowerCase() === wanted.toLowerCase() || endpoint?.value.host === wanted;
}

const OLDEST_SEC = Date.UTC(2024, 0, 1) / 1000;
const NEWEST_SEC = Date.UTC(2100, 0, 1) / 1000;
const DAY_SEC = 86_400;

/**
 * An initiation raises the greatest timestamp that the responder knows for this key. One from the future would shut out
 * the real client until then, and one from the past would be dropped in silence: with such a clock nothing is learnt.
 */
export function checkClock({ wall }: Now, files: readonly KeyFile[]): void {
  const newest = [...files].sort((a, b) => b.modifiedSec - a.modifiedSec)[0];
  const says = `this machine’s clock says ${new Date(wall.sec * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const set =
    'set it first (timedatectl set-ntp true): handshakes carry the time, and a wrong one locks the real client out';
  if (wall.sec < OLDEST_SEC || wall.sec > NEWEST_SEC) throw new UsageError(`${says}, which is wrong`, set);
  if (newest !== undefined && wall.sec < newest.modifiedSec - DAY_SEC) {
    throw new UsageError(`${says}, but ${newest.path} was written more than a day later`, set);
  }
}

/** Zero and every other preshared key of the files, each value once, but for the one that is configured. */
export function candidates({ peer }: Chosen, files: readonly KeyFile[]): PskCandidate[] {
  const ours = peer.presharedKey?.value ?? ZERO_PSK;
  const all: PskCandidate[] = [{ where: NO_PSK, psk: ZERO_PSK }, ...pskCandidates(files)];
  const seen = new Set([toBase64(ours)]);
  return all.filter(({ psk }) => {
    const text = toBase64(psk);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/** Where the zero PSK stands: nowhere. */
export const NO_PSK = '';

export const hasPsk = ({ peer }: Chosen): boolean =>
  peer.presharedKey !== undefined && !isZero(peer.presharedKey.value);

const DEFAULT_MTU = 1420;

export function targetOf({ secret, peer, conf }: Chosen, endpoints: readonly Endpoint[]): ProbeTarget {
  return {
    secret,
    publicKey: peer.publicKey.value,
    psk: peer.presharedKey?.value ?? ZERO_PSK,
    allowedIps: peer.allowedIps.map(({ value }) => value),
    endpoints,
    mtu: conf.interface.mtu?.value ?? DEFAULT_MTU,
  };
}

export function pingPlan(
  chosen: Chosen,
  { ping, pathMtu = false }: { readonly ping?: string; readonly pathMtu?: boolean },
): ProbeOptions['ping'] {
  if (ping === undefined) {
    if (!pathMtu) return undefined;
    throw new UsageError(
      '--path-mtu needs an address inside the tunnel that answers',
      'add --ping ADDRESS: only who answers echoes shows how large a packet came through',
    );
  }
  const to = parseIp(ping);
  if (to === undefined) throw new UsageError('--ping takes an IP address inside the tunnel, such as 10.0.0.1');
  const { file, conf, peer } = chosen;
  if (!peer.allowedIps.some(({ value }) => inPrefix(to, value))) {
    throw new UsageError(
      `${formatIp(to)} is not in the AllowedIPs of the peer on line ${peer.line}: the tunnel would not carry it`,
      `add it there, or ping an address that is: ${file.path}`,
    );
  }
  const from = conf.interface.addresses.map(({ value }) => value.ip).find((ip) => ip.length === to.length);
  if (from === undefined) {
    const family = to.length === 4 ? 'IPv4' : 'IPv6';
    throw new UsageError(`${file.path} has no ${family} Address to ping from`, 'add Address = … to its [Interface]');
  }
  return { from, to, count: PINGS, pathMtu };
}

const PINGS = 3;
