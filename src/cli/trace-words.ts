/** What `wgwhy trace` says of the keys of a captured handshake, and how it reads a PSK to compare with. */
import { KeySet } from '../analyze/key-set.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, equal, utf8 } from '../base/bytes.ts';
import { type PublicKey, presharedKey, publicKey, shortKey } from '../base/keys.ts';
import { readKeyText } from '../config/key-text.ts';
import { nodeCrypto } from '../crypto/node.ts';
import type { Crypto } from '../crypto/port.ts';
import { readText } from '../report/read-text.ts';
import { scrubber } from '../report/scrub.ts';
import type { Captured, Found } from '../report/trace-capture.ts';
import type { TraceValue } from '../report/trace-rows.ts';
import { type NamedPsk, runTrace } from '../report/trace-run.ts';
import type { Traceable } from '../report/vector-json.ts';
import { UsageError } from './environment.ts';

/** The found message with everything that the table says of it. */
export function capturedTraceable(crypto: Crypto, keys: KeySet, capture: string, found: Found): Traceable {
  const { message, initiation, response, input, psk } = found;
  const { frame, kind, from, to } = message;
  // a private key that was pasted as a public one is on no wire, but in the hash
  const secrets = [...keys.secrets()];
  const isSecret = (bytes: Bytes): boolean => secrets.some((secret) => equal(secret, bytes));
  const guarded = (value: TraceValue): TraceValue =>
    value.secrecy === 'public' && isSecret(value.bytes) ? { ...value, secrecy: 'secret' } : value;
  return {
    title: `${capture} frame ${frame}: ${kind}, ${from} → ${to}`,
    parties: scrubber(keys)(parties(keys, found)),
    keys: new Map([...knownKeys(found)].filter(([name, key]) => !name.endsWith('_public') || !isSecret(key))),
    packets: { initiation, response, ...(kind === 'data' ? { data: message.bytes } : {}) },
    frames: { initiation: initiation?.frame, response: response?.frame, data: kind === 'data' ? frame : undefined },
    psk,
    rowsWith: (other) => runTrace(crypto, input, other.psk).map((row) => ({ ...row, values: row.values.map(guarded) })),
  };
}

function parties(
  keys: KeySet,
  { message, initiation, response, input, initiator, psk, opens, tried }: Found,
): Traceable['parties'] {
  if (message.kind === 'data' && response === undefined) return [];
  const owner = (key: PublicKey | undefined, without: string): string =>
    key === undefined ? without : `${keys.nameOf(key)}, ${shortKey(key)}${known(input.secretOf(key))}`;
  const ephemeral = (key: PublicKey): string => {
    const where = keys.ephemerals.get(toBase64(key))?.where;
    return `${shortKey(key)}, private key ${where === undefined ? 'not known' : `in ${where}`}`;
  };
  const { size } = keys.publics;
  const unfit =
    size === 0
      ? 'not known: no file has a public key'
      : `not known: MAC1 of the initiation was made with none of the public keys of the files (${size})`;
  return [
    {
      symbol: 'S_r',
      text: owner(
        input.responder,
        initiation === undefined ? 'not known: the initiation is not in the capture' : unfit,
      ),
    },
    { symbol: 'S_i', text: owner(initiator, 'not known') },
    ...(initiation === undefined ? [] : [{ symbol: 'E_i', text: ephemeral(ephemeralOf(initiation)) }]),
    ...(response === undefined ? [] : [{ symbol: 'E_r', text: ephemeral(ephemeralOf(response)) }]),
    ...(response === undefined ? [] : [{ symbol: 'Q', text: `${psk.where}${outcome(opens, tried)}` }]),
  ];
}

const known = (secret: Bytes | undefined): string => `, private key ${secret === undefined ? 'not known' : 'known'}`;

function outcome(opens: boolean | undefined, tried: number): string {
  if (opens === undefined || opens) return '';
  return tried === 1 ? '' : `, the first of ${tried} that could be meant`;
}

const ephemeralOf = ({ kind, bytes }: Captured): PublicKey =>
  publicKey(kind === 'initiation' ? bytes.subarray(8, 40) : bytes.subarray(12, 44));

/** By their names in a file of vectors. */
function knownKeys({ initiation, response, input, initiator, psk }: Found): Map<string, Bytes> {
  const all = new Map<string, Bytes>();
  const add = (name: string, key: PublicKey | undefined): void => {
    if (key === undefined) return;
    all.set(`${name}_public`, key);
    const secret = input.secretOf(key);
    if (secret !== undefined) all.set(`${name}_private`, secret);
  };
  add('initiator_static', initiator);
  add('responder_static', input.responder);
  add('initiator_ephemeral', initiation && ephemeralOf(initiation));
  add('responder_ephemeral', response && ephemeralOf(response));
  if (response !== undefined) all.set('psk', psk.psk);
  return all;
}

/** A file as `wgwhy genpsk` writes it, or one with a single PSK among other things. */
export function readPsk(path: string, text: string): NamedPsk {
  const name = path.replace(/^.*[\\/]/, '');
  const alone = readKeyText(text.trim());
  if (alone.ok) return { psk: presharedKey(alone.value), where: name };
  const keys = new KeySet(nodeCrypto);
  readText(name, 'psk', utf8(text), keys, () => {});
  const all = [...keys.psks, ...[...keys.ephemerals.values()].flatMap(({ psks }) => psks)];
  const [psk] = all;
  if (psk === undefined)
    throw new UsageError(`${path} holds no PSK`, '--other-psk takes a file as wgwhy genpsk writes it');
  const others = all.filter((one) => toBase64(one.psk) !== toBase64(psk.psk));
  if (others.length > 0)
    throw new UsageError(
      `${path} holds ${others.length + 1} PSKs`,
      'put the one to compare with into a file of its own',
    );
  return psk;
}
