/** Which key would answer what is open, and whether the files that were handed over belong to this traffic at all. */

import type { Exchange, FrameId, Seen } from '../../analyze/timeline.ts';
import { initiationOf, isAnswered, type World } from '../../analyze/world.ts';
import { type Endpoint, endpoint } from '../../base/address.ts';
import { toBase64 } from '../../base/base64.ts';
import { equalSecret } from '../../base/bytes.ts';
import { keyLabel } from '../evidence.ts';
import { nearestKey } from '../key-distance.ts';
import { defineRule, type Facts, type Fix, type Found } from '../rule.ts';

const FRAMES = 8;

interface KeyFacts extends Facts {
  readonly question: 'no-keys' | 'foreign-files' | 'other-configuration' | 'key-log-order';
  readonly file: string | null;
  readonly place: string;
  readonly messages: number;
}

export const keyMissing = defineRule({
  name: 'key-missing',
  severity: 'info',
  on: 'files',
  group: 'capture',
  explain: {
    what: 'a question stays open because the key that answers it was not handed over, or the keys that were belong to something else',
    why: 'MAC1 says for whom a message is only to who has that public key; who sent it and when takes the responder’s private key; whether a PSK fits takes an ephemeral key of that very handshake',
    fix: 'hand over the configuration of the responder (it answers most), then that of the initiator; nothing leaves this machine and no secret is printed',
  },
  check(world): Found<KeyFacts>[] {
    const { keys } = world;
    const none = keys.publics.size + keys.ephemerals.size + keys.trafficKeys.size === 0;
    const found = none ? [noKeys(world)] : [foreignFiles(world) ?? otherConfiguration(world), keyLogOrder(world)];
    return found.filter((one) => one !== undefined);
  },
  message({ question, file, place, messages }) {
    const many = messages === 1 ? '1 handshake message' : `${messages} handshake messages`;
    switch (question) {
      case 'no-keys':
        return `no key was handed over: of ${many} only shape and timing can be judged`;
      case 'foreign-files':
        return `${file ?? 'the keys handed over'} and this traffic do not belong together: no MAC1 of ${many} is for a key that is here`;
      case 'other-configuration':
        return `${file} is not what ran: it has no peer ${place}, and yet its initiation was answered`;
      case 'key-log-order':
        return `the key log is out of order: the PSK that opens the response to ${place} stands at ${file}`;
    }
  },
  fix: ({ question, place }) => ADVICE[question](place),
});

const ADVICE: Readonly<Record<KeyFacts['question'], (place: string) => Fix>> = {
  'no-keys': (place) => ({
    linux: [`on ${place}: wg showconf INTERFACE > server.conf (as root), then hand that file over as well`],
    routeros: [`on ${place}: /interface wireguard export show-sensitive file=wg, then copy its keys into a wg file`],
  }),
  'foreign-files': (place) => ({
    linux: [`on ${place}, to compare: wg show INTERFACE public-key; wg show INTERFACE peers`],
    routeros: [`on ${place}, to compare: /interface wireguard print proplist=name,public-key,listen-port`],
  }),
  'other-configuration': () => ({
    linux: ['on the responder, what really runs: wg showconf INTERFACE (as root)'],
    routeros: ['on the responder: /interface wireguard peers print proplist=interface,public-key,allowed-address'],
  }),
  'key-log-order': () => ({
    linux: [
      'in the key log: put each PRESHARED_KEY line right behind the LOCAL_EPHEMERAL_PRIVATE_KEY line of its handshake',
    ],
  }),
};

/** Messages that keys could be tried on: those that a capture holds whole, each once over all captures. */
function whole(world: World): { readonly seen: Seen; readonly exchange: Exchange }[] {
  const out: { seen: Seen; exchange: Exchange }[] = [];
  for (const { views } of world.exchanges) {
    const had = new Set<string>();
    for (const { exchange } of views) {
      const { initiation, responses } = exchange;
      for (const seen of [initiation ?? [], responses.map((response) => response.seen)].flat(2)) {
        const name = `${seen.kind} ${seen.sender}`;
        if (seen.cut || had.has(name)) continue;
        had.add(name);
        out.push({ seen, exchange });
      }
    }
  }
  return out;
}

function noKeys(world: World): Found<KeyFacts> | undefined {
  const messages = whole(world);
  const [first] = messages;
  if (first === undefined) return undefined;
  return {
    facts: { question: 'no-keys', file: null, place: first.exchange.responder.text, messages: messages.length },
    certainty: 'proven',
    frames: framesOf(messages),
    subject: 'files',
    missing: [
      {
        key: `the configuration of the responder ${first.exchange.responder.text}, with its PrivateKey and its peers`,
        wouldSettle: 'for whom the initiations are, who sent them, with what timestamp, and why they were refused',
      },
      {
        key: `the configuration of the initiator ${first.exchange.initiator.text}`,
        wouldSettle: 'whether it writes to the right key',
      },
    ],
  };
}

function foreignFiles(world: World): Found<KeyFacts> | undefined {
  const messages = whole(world);
  const owners = messages.map(({ seen, exchange }) =>
    seen === exchange.initiation ? exchange.sight?.mac1 : exchange.responses.find((r) => r.seen === seen)?.sight.mac1,
  );
  const [first] = messages;
  if (first === undefined || owners.some((owner) => owner?.kind === 'known')) return undefined;
  if (!owners.some((owner) => owner?.kind === 'none')) return undefined;
  // an unanswered initiation to a port of these files may be one that was made for a wrong key
  const fits = fitsFiles(world);
  if (world.exchanges.some((merged) => !isAnswered(merged) && fits(initiationOf(merged)?.to))) return undefined;
  const names = world.keys.confs.map(({ name }) => name);
  const answered = world.exchanges.some(isAnswered);
  return {
    facts: {
      question: 'foreign-files',
      file: names.length === 0 ? null : names.join(', '),
      place: first.exchange.responder.text,
      messages: messages.length,
    },
    certainty: 'proven',
    frames: framesOf(messages),
    subject: 'files',
    notes: [
      `${world.keys.publics.size} public keys were tried`,
      ...(answered
        ? ['the handshakes are answered, so the ends have keys that fit each other']
        : ['no Endpoint and no ListenPort of the files fits the traffic either']),
    ],
    missing: [
      {
        key: `the configuration of ${first.exchange.responder.text}`,
        wouldSettle: 'for whom the initiations are, and who sent them',
      },
    ],
  };
}

/** Whether initiations go to a port or an address that the files name. */
function fitsFiles(world: World): (to: Endpoint | undefined) => boolean {
  const ports = new Set<number>();
  const addresses = new Set<string>();
  for (const { conf, own } of world.keys.confs) {
    if (own !== undefined) ports.add(conf.interface.listenPort?.value ?? 0);
    for (const { endpoint: written } of conf.peers) {
      if (written === undefined) continue;
      // a name may be any address
      if (written.value.ip === undefined) ports.add(written.value.port);
      else addresses.add(endpoint(written.value.ip, written.value.port).text);
    }
  }
  return (to) => to !== undefined && (ports.has(to.port) || addresses.has(to.text));
}

function otherConfiguration(world: World): Found<KeyFacts> | undefined {
  for (const merged of world.exchanges) {
    if (!isAnswered(merged)) continue;
    for (const { exchange } of merged.views) {
      const { sight, initiation } = exchange;
      if (initiation === undefined || sight?.mac1.kind !== 'known' || sight.identity === undefined) continue;
      const conf = world.keys.confOf(sight.mac1.key);
      const identity = toBase64(sight.identity);
      if (conf === undefined || conf.peers.has(identity)) continue;
      const near = nearestKey(identity, [...conf.peers.keys()]);
      const known = world.keys.publics.get(identity);
      return {
        facts: { question: 'other-configuration', file: conf.name, place: identity, messages: 1 },
        certainty: 'proven',
        frames: [initiation.at, ...exchange.responses.map(({ seen }) => seen.at)],
        subject: `file:${conf.name}`,
        notes: [
          ...(known === undefined ? [] : [`that is ${keyLabel(known)}`]),
          ...(near === undefined ? [] : [`the nearest peer in it differs in ${near.distance} characters: ${near.key}`]),
        ],
        missing: [
          {
            key: `the configuration that ran in the place of ${conf.name}`,
            wouldSettle: 'everything that was judged by its list of peers',
          },
        ],
      };
    }
  }
  return undefined;
}

/** The key log has the PSK, and under another handshake: Wireshark, which goes by the order of the lines, fails on it. */
function keyLogOrder(world: World): Found<KeyFacts> | undefined {
  for (const merged of world.exchanges) {
    for (const { exchange } of merged.views) {
      for (const { seen, sight } of exchange.responses) {
        const opener = sight.opensWith;
        if (opener === undefined || opener.bound || !sight.ephemeralKnown) continue;
        const where = placeInLog(opener.psk, world);
        if (where === undefined) continue;
        return {
          facts: { question: 'key-log-order', file: where.text, place: merged.id, messages: 1 },
          certainty: 'proven',
          frames: [exchange.initiation?.at ?? [], seen.at].flat(),
          subject: 'files',
          notes: [
            where.bound
              ? 'it follows the ephemeral key of another handshake there, and a PSK counts for the ephemeral line before it'
              : 'it follows no ephemeral key there, and a PSK counts for the ephemeral line before it',
          ],
        };
      }
    }
  }
  return undefined;
}

function placeInLog(psk: Uint8Array, world: World): { readonly text: string; readonly bound: boolean } | undefined {
  for (const { psks } of world.keys.ephemerals.values()) {
    const bound = psks.find((other) => equalSecret(other.psk, psk));
    if (bound !== undefined) return { text: bound.where, bound: true };
  }
  const files = new Set(world.keys.confs.map(({ name }) => name));
  const loose = world.keys.psks.find((other) => equalSecret(other.psk, psk));
  if (loose === undefined || files.has(loose.where.slice(0, loose.where.lastIndexOf(':')))) return undefined;
  return { text: loose.where, bound: false };
}

function framesOf(messages: readonly { readonly seen: Seen }[]): FrameId[] {
  return messages.slice(0, FRAMES).map(({ seen }) => seen.at);
}
