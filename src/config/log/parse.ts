/** Log lines of every implementation to events: who speaks is told by the prefix, what is said by the tables. */
import { type Endpoint, endpoint, parseIp } from '../../base/address.ts';
import { decodeKeyText } from '../../base/base64.ts';
import { publicKey } from '../../base/keys.ts';
import type { Time } from '../../base/time.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import type { Line } from '../text.ts';
import { BORINGTUN_LINES } from './boringtun-lines.ts';
import type { KnownLine, LogEvent, LogImplementation, LogPeer } from './event.ts';
import { GO_LINES } from './go-lines.ts';
import { KERNEL_LINES, nonceReason } from './kernel-lines.ts';
import { type LogTime, leadingTime } from './time.ts';

interface Spoken {
  readonly implementation: LogImplementation;
  readonly message: string;
  readonly lines: readonly KnownLine[];
  readonly time?: LogTime;
  readonly interface?: string;
  readonly peer?: LogPeer;
}

/** Cheap: most lines of a system's log are about other things. */
const WORTH_A_LOOK =
  /handshake|keepalive|keypair|cookie|peer|packet|endpoint|interface|session|wireguard|boringtun|neptun|gotatun|DEBUG: \(|\[TUN\]|\[NET\]/i;

const ROUTEROS =
  /^\s*(?:\S+ )?((?:[a-z0-9!-]+,)*wireguard(?:,[a-z0-9!-]+)*) ([^\s:]+): (?:\[([^\]]*)\] )?(?:(\S{44}): )?(.*)$/;
const KERNEL = /(?:^|[\s:])wireguard: ([^\s:]{1,40}): (.*)$/;
const APP = /^:?\s*\[(?:TUN|NET)\] (?:\[([^\]]{1,80})\] )?(.*)$/;
const GO = /(?:^|\s)(?:DEBUG|INFO|ERROR|VERBOSE): \(([^)\s]{1,40})\) (.*)$/;
const GO_PEER = /\bpeer\(([A-Za-z0-9+/]{4})\S{1,3}([A-Za-z0-9+/]{4})\)(?: - |: )(.*)$/;
const RUST = /\b(?:TRACE|DEBUG|INFO|WARN|ERROR)\b.{0,200}?\b(?:boringtun|neptun|gotatun)(?:[\w:]{0,100}): (.*)$/;

function routerOs(text: string, time: LogTime | undefined): Spoken | undefined {
  const match = ROUTEROS.exec(text);
  if (match === null) return undefined;
  const [, , device = '', name, keyText = '', message = ''] = match;
  const key = decodeKeyText(keyText);
  const peer =
    key instanceof Uint8Array
      ? { kind: 'key' as const, ...given({ key: publicKey(key), name }) }
      : name === undefined
        ? undefined
        : { kind: 'name' as const, name };
  return given({
    implementation: 'routeros' as const,
    message,
    lines: KERNEL_LINES,
    time,
    interface: device,
    peer,
  });
}

/** The peer of wireguard-go, and what is said of it. */
function goPeer(text: string): { readonly peer: LogPeer; readonly message: string } | undefined {
  const match = GO_PEER.exec(text);
  if (match === null) return undefined;
  const [, start = '', end = '', message = ''] = match;
  // A structured log quotes the message and goes on with other fields.
  return { peer: { kind: 'short-key', start, end }, message: message.replace(/" \w+=.*$|"$/, '') };
}

function goLine(text: string, time: LogTime | undefined, device: string | undefined): Spoken {
  const own = leadingTime(text);
  const rest = text.slice(own.end).trimStart();
  const found = goPeer(rest);
  return given({
    implementation: 'wireguard-go' as const,
    message: found?.message ?? rest,
    lines: GO_LINES,
    time: own.time ?? time,
    interface: device,
    peer: found?.peer,
  });
}

const APP_LINES = [...KERNEL_LINES, ...GO_LINES];

/** Who speaks, and what is left of the line then. */
function speaker(text: string): Spoken | undefined {
  const { time, end } = leadingTime(text);
  const rest = text.slice(end);
  const ros = routerOs(rest, time);
  if (ros !== undefined) return ros;
  const kernel = KERNEL.exec(rest);
  if (kernel !== null) {
    const [, device, message = ''] = kernel;
    return given({ implementation: 'linux' as const, message, lines: KERNEL_LINES, time, interface: device });
  }
  const app = APP.exec(rest);
  if (app !== null) {
    const [, device, message = ''] = app;
    const go = goPeer(message);
    return given({
      implementation: go === undefined ? ('windows' as const) : ('wireguard-go' as const),
      message: go?.message ?? message,
      lines: go === undefined ? APP_LINES : GO_LINES,
      time,
      interface: device,
      peer: go?.peer,
    });
  }
  const go = GO.exec(rest);
  if (go !== null) return goLine(go[2] ?? '', time, go[1]);
  const rust = RUST.exec(rest);
  if (rust !== null) {
    return given({ implementation: 'boringtun' as const, message: rust[1] ?? '', lines: BORINGTUN_LINES, time });
  }
  // Programs that use wireguard-go print its lines in a form of their own.
  return GO_PEER.test(rest) ? goLine(rest, time, undefined) : undefined;
}

/** `192.0.2.1:51820`, `[2001:db8::1]:51820/0%0` of the kernel, `[fe80::1%eth0]:51820` of Go. */
function outerEndpoint(text: string | undefined): Endpoint | undefined {
  const match = /^\[?([0-9A-Fa-f.:]+)(?:%[^\]]*)?\]?:(\d{1,5})(?:\/\d+)?(?:%\d+)?\.?$/.exec(text ?? '');
  const ip = match === null ? undefined : parseIp(match[1] ?? '');
  const port = Number(match?.[2]);
  return ip === undefined || port > 65535 ? undefined : endpoint(ip, port);
}

/** `2001-01-01 00:00:03.939524096`, in UTC. */
function stamp(text: string | undefined): Time | undefined {
  const found = text === undefined ? undefined : leadingTime(text).time;
  return found?.kind === 'wall' ? found.time : undefined;
}

const LONGEST_MESSAGE = 300;

function eventOf(line: Line): LogEvent | undefined {
  if (!WORTH_A_LOOK.test(line.text)) return undefined;
  const spoken = speaker(line.text);
  if (spoken === undefined) return undefined;
  for (const { kind, pattern, reasons } of spoken.lines) {
    const match = pattern.exec(spoken.message);
    if (match === null) continue;
    const groups = match.groups ?? {};
    const { nonce, max } = groups;
    const number = groups['peer'] === undefined ? undefined : Number(groups['peer']);
    return given({
      kind,
      implementation: spoken.implementation,
      line: line.number,
      text: spoken.message.slice(0, LONGEST_MESSAGE).trimEnd(),
      time: spoken.time,
      interface: spoken.interface,
      peer: spoken.peer ?? (number === undefined ? undefined : { kind: 'number' as const, number }),
      endpoint: outerEndpoint(groups['endpoint']),
      attempt: groups['try'] === undefined ? undefined : Number(groups['try']),
      reasons: nonce === undefined || max === undefined ? (reasons ?? []) : [nonceReason(nonce, max)],
      refusedTimestamp: stamp(groups['stamp']),
      innerAddress: groups['inner'],
    });
  }
  return undefined;
}

/** In the order of the lines. Never throws; lines that say nothing of a tunnel are passed over. */
export function parseLog(text: Pasted): readonly LogEvent[] {
  return pastedLines(text).flatMap((line) => eventOf(line) ?? []);
}
