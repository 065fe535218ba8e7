/** Reads one request of the control socket: a get, or a set as the changes it asks for; read as a whole before any is made. */
import { parseEndpoint, parsePrefix } from '../base/address.ts';
import { type Bytes, fromHex, isZero } from '../base/bytes.ts';
import { presharedKey, privateKey, publicKey } from '../base/keys.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { ProblemList } from './text.ts';
import type { UapiChange, UapiPeerChange, UapiRefusal } from './uapi.ts';

export type UapiRequest = { readonly kind: 'get' } | { readonly kind: 'set'; readonly changes: readonly UapiChange[] };

/** As wireguard-go has them: a line without `=` is EPROTO, everything else that cannot be taken is EINVAL. */
type Code = 'EINVAL' | 'EPROTO';

interface Place {
  readonly line: number;
  readonly column: number;
}

/** A section as far as it was read. */
interface PeerDraft {
  publicKey: Bytes | undefined;
  remove: boolean;
  updateOnly: boolean;
  replaceAllowedIps: boolean;
  allowedIps: UapiPeerChange['allowedIps'][number][];
  rest: Pick<UapiPeerChange, 'presharedKey' | 'endpoint' | 'persistentKeepalive'>;
}

const OF_DEVICE = new Set(['private_key', 'listen_port', 'fwmark', 'replace_peers']);
const OF_PEER = new Set([
  'preshared_key',
  'endpoint',
  'persistent_keepalive_interval',
  'replace_allowed_ips',
  'allowed_ip',
  'remove',
  'update_only',
  'protocol_version',
]);
const OF_ANSWER = new Set(['last_handshake_time_sec', 'last_handshake_time_nsec', 'rx_bytes', 'tx_bytes', 'errno']);

/** All problems of one set and its changes; used for one request and thrown away. No problem repeats a value. */
class SetReader {
  readonly problems = new ProblemList();
  /** Of the first problem. */
  code: Code | undefined;
  readonly #changes: UapiChange[] = [];
  #peer: PeerDraft | undefined;

  line(text: string, line: number): void {
    const equals = text.indexOf('=');
    if (equals < 0) {
      this.#refuse({ line, column: 1 }, "there is no '=' on this line", 'write KEY=VALUE', 'EPROTO');
      return;
    }
    const key = text.slice(0, equals);
    const value = text.slice(equals + 1);
    const place = { line, column: equals + 2 };
    if (key === 'public_key') this.#openPeer(value, place);
    else if (this.#peer === undefined) this.#deviceLine(key, value, place);
    else this.#peerLine(this.#peer, key, value, place);
  }

  done(): readonly UapiChange[] {
    this.#closePeer();
    return this.#changes;
  }

  #refuse(place: Place, message: string, hint?: string, code: Code = 'EINVAL'): void {
    this.code ??= code;
    this.problems.add(place, message, hint);
  }

  #deviceLine(key: string, value: string, place: Place): void {
    switch (key) {
      case 'private_key': {
        const bytes = this.#key(key, value, place);
        const secret = bytes === undefined || isZero(bytes) ? undefined : privateKey(bytes);
        this.#changes.push({ kind: 'private-key', privateKey: secret });
        return;
      }
      case 'listen_port':
        this.#changes.push({ kind: 'listen-port', port: this.#number(key, value, 0xffff, place) });
        return;
      case 'fwmark':
        this.#changes.push({ kind: 'fwmark', fwmark: this.#number(key, value, 0xffff_ffff, place) });
        return;
      case 'replace_peers':
        if (this.#true(key, value, place)) this.#changes.push({ kind: 'replace-peers' });
        return;
      default:
        this.#unknown(key, place);
    }
  }

  #openPeer(value: string, place: Place): void {
    this.#closePeer();
    this.#peer = {
      publicKey: this.#key('public_key', value, place),
      remove: false,
      updateOnly: false,
      replaceAllowedIps: false,
      allowedIps: [],
      rest: {},
    };
  }

  #peerLine(peer: PeerDraft, key: string, value: string, place: Place): void {
    switch (key) {
      case 'remove':
        if (this.#true(key, value, place)) peer.remove = true;
        return;
      case 'update_only':
        if (this.#true(key, value, place)) peer.updateOnly = true;
        return;
      case 'preshared_key': {
        const bytes = this.#key(key, value, place);
        if (bytes !== undefined) peer.rest = { ...peer.rest, presharedKey: presharedKey(bytes) };
        return;
      }
      case 'endpoint':
        this.#endpoint(peer, value, place);
        return;
      case 'persistent_keepalive_interval':
        peer.rest = { ...peer.rest, persistentKeepalive: this.#number(key, value, 0xffff, place) };
        return;
      case 'replace_allowed_ips':
        if (!this.#true(key, value, place)) return;
        peer.replaceAllowedIps = true;
        peer.allowedIps = [];
        return;
      case 'allowed_ip':
        this.#allowedIp(peer, value, place);
        return;
      case 'protocol_version':
        if (value !== '1') this.#refuse(place, 'protocol_version is not 1', 'there is no other yet');
        return;
      default:
        this.#unknown(key, place);
    }
  }

  #closePeer(): void {
    const peer = this.#peer;
    if (peer?.publicKey === undefined) return;
    const key = publicKey(peer.publicKey);
    const { updateOnly, replaceAllowedIps, allowedIps, rest } = peer;
    if (peer.remove) this.#changes.push({ kind: 'remove-peer', publicKey: key });
    else this.#changes.push({ kind: 'peer', publicKey: key, updateOnly, replaceAllowedIps, allowedIps, ...rest });
  }

  /** The zone of a link-local address is lost, as it is everywhere else here. */
  #endpoint(peer: PeerDraft, value: string, place: Place): void {
    const endpoint = parseEndpoint(value.replace(/%[^\]%]+(?=\])/, ''));
    const form = 'write ADDRESS:PORT or [IPV6]:PORT: names are looked up by wg';
    if (endpoint === undefined) this.#refuse(place, 'endpoint is not an address and a port', form);
    // Differs: wireguard-go takes it, and then nothing can be sent.
    else if (endpoint.port === 0) this.#refuse(place, 'endpoint has port 0, to which nothing can be sent', form);
    else peer.rest = { ...peer.rest, endpoint };
  }

  #allowedIp(peer: PeerDraft, value: string, place: Place): void {
    const sign = /^[+-]/.exec(value)?.[0];
    const text = sign === undefined ? value : value.slice(1);
    const prefix = text.includes('/') ? parsePrefix(text) : undefined;
    if (prefix !== undefined) peer.allowedIps.push({ prefix, remove: sign === '-' });
    else this.#refuse(place, 'allowed_ip is not an address and a length', 'write ADDRESS/BITS, such as 10.0.0.0/8');
  }

  #key(name: string, value: string, place: Place): Bytes | undefined {
    if (/^[0-9a-fA-F]{64}$/.test(value)) return fromHex(value);
    this.#refuse(place, `${name} is not a key`, 'write 64 hexadecimal digits');
    return undefined;
  }

  /** Whole decimal numbers; 0 in place of what is refused. */
  #number(name: string, value: string, max: number, place: Place): number {
    const number = /^[0-9]+$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
    if (number <= max) return number;
    this.#refuse(place, `${name} is not a number from 0 to ${max}`);
    return 0;
  }

  #true(name: string, value: string, place: Place): boolean {
    if (value === 'true') return true;
    this.#refuse(place, `${name} is not 'true'`, 'leave the line out where it is not wanted');
    return false;
  }

  #unknown(key: string, { line }: Place): void {
    const place = { line, column: 1 };
    if (OF_DEVICE.has(key)) this.#refuse(place, `${key} stands after a public_key`, 'write it before the first peer');
    else if (OF_PEER.has(key)) this.#refuse(place, `${key} stands before any public_key`, 'write it after its peer');
    else if (OF_ANSWER.has(key)) this.#refuse(place, `${key} can be told but not set`);
    else this.#refuse(place, 'this key is not known here', 'AmneziaWG and other variants have keys of their own');
  }
}

/** The lines of one request, without the empty one that ends it. Never throws; all problems of a set come at once. */
export function parseUapiRequest(text: string): Result<UapiRequest, UapiRefusal> {
  const [operation, ...body] = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (operation === 'get=1') {
    const problem = { line: 2, column: 1, message: 'a get has no further lines' };
    return body.length === 0 ? ok({ kind: 'get' }) : fail({ code: 'EINVAL', problems: [problem] });
  }
  if (operation !== 'set=1') {
    const message = 'the request is neither get=1 nor set=1';
    return fail({ code: 'EPROTO', problems: [{ line: 1, column: 1, message }] });
  }
  const reader = new SetReader();
  for (const [i, line] of body.entries()) reader.line(line, i + 2);
  const changes = reader.done();
  return reader.code === undefined
    ? ok({ kind: 'set', changes })
    : fail({ code: reader.code, problems: reader.problems.done() });
}
