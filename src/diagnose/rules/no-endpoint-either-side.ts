/** Two ends list each other, and neither knows where the other one is. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { toBase64 } from '../../base/base64.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { type End, fileSubject, placeOf, settingPairs, settings, unlessConfirmed } from '../config-evidence.ts';
import type { Edit } from '../edit.ts';
import { endpointText, hostText, wanOf } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface NoEndpointFacts extends Facts {
  readonly one: string;
  readonly other: string;
  /** What another text has for one of them, and where it stands. */
  readonly known: string | null;
  readonly knownFrom: string | null;
  readonly key: string;
}

export const noEndpointEitherSide = defineRule({
  name: 'no-endpoint-either-side',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2.1',
  explain: {
    what: 'two files list each other, and neither has an Endpoint for the other',
    why: 'an end without an Endpoint waits to be written to; when both wait no packet is ever sent, and what goes into the tunnel fails with “Destination address required”',
    fix: 'give one of the two an Endpoint: the one that can reach the other; behind NAT it is this one that begins, with PersistentKeepalive',
  },
  check: (world): Found<NoEndpointFacts>[] =>
    settingPairs(world).flatMap(({ lister, listed, peer, back }) => {
      if (peer.endpoint !== undefined || back.endpoint !== undefined) return [];
      const confirmed = unlessConfirmed(world, lister.own, listed.own);
      const place = placeKnown(listed, lister, peer, world) ?? placeKnown(lister, listed, back, world);
      return [
        {
          facts: {
            one: placeOf(lister.entry, peer.line),
            other: placeOf(listed.entry, back.line),
            known: place?.value ?? null,
            knownFrom: place?.from ?? null,
            key: place?.key ?? listed.own.text,
          },
          certainty: 'proven',
          ...confirmed,
          subject: fileSubject(lister.entry),
          edits: place?.edits ?? [],
          notes: [
            ...(waits(lister.entry, peer) || waits(listed.entry, back)
              ? [
                  'an endpoint-address of RouterOS needs an endpoint-port beside it, and counts for nothing with responder=yes',
                ]
              : []),
            ...confirmed.notes,
          ],
        },
      ];
    }),
  message({ one, other, known, knownFrom }) {
    const found = known === null || knownFrom === null ? '' : `; by ${knownFrom} it would be ${known}`;
    return `neither the [Peer] at ${one} nor the one at ${other} has an Endpoint, so nobody begins${found}`;
  },
  fix: ({ known, key }) => ({
    linux: [
      `in the [Peer] of the end that can reach the other: Endpoint = ${known ?? 'ADDRESS-OR-NAME:PORT'}`,
      `at once, until restart: wg set INTERFACE peer ${key} endpoint ${known ?? 'ADDRESS:PORT'}`,
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${key}"] endpoint-address=${hostOf(known)} endpoint-port=${portOf(known)}`,
    ],
  }),
});

interface Place {
  readonly value: string;
  readonly from: string;
  readonly key: string;
  readonly edits: readonly Edit[];
}

/** Where `target` is by another text: a third end’s Endpoint for it, or its router’s public address. */
function placeKnown(target: End, writer: End, peer: WgPeer, world: World): Place | undefined {
  const found = byThird(target, writer, world) ?? byRouter(target.entry);
  if (found === undefined) return undefined;
  const insert: Edit = {
    input: writer.entry.input,
    line: peer.publicKey?.line ?? peer.line,
    kind: 'insert-after',
    text: `Endpoint = ${found.value}`,
  };
  return { ...found, key: target.own.text, edits: writer.entry.origin.kind === 'wg-quick' ? [insert] : [] };
}

function byThird(target: End, writer: End, world: World): { value: string; from: string } | undefined {
  const said = settings(world).flatMap((entry) => {
    const peer = entry === writer.entry ? undefined : entry.peers.get(toBase64(target.own.key));
    return entry.origin.kind === 'wg-show' || peer?.endpoint === undefined
      ? []
      : [{ value: endpointText(peer.endpoint.value), from: placeOf(entry, peer.endpoint.line) }];
  });
  return new Set(said.map(({ value }) => value)).size === 1 ? said[0] : undefined;
}

function byRouter(entry: ConfEntry): { value: string; from: string } | undefined {
  const wan = wanOf(entry);
  const port = entry.conf.interface.listenPort?.value ?? 0;
  return wan === undefined || port === 0
    ? undefined
    : { value: `${hostText(formatIp(wan.ip))}:${port}`, from: wan.place };
}

/** RouterOS: something is set, and it does not make an Endpoint. */
function waits({ origin, conf }: ConfEntry, peer: WgPeer): boolean {
  return origin.kind === 'routeros' && origin.end.peers[conf.peers.indexOf(peer)]?.endpointAddress !== undefined;
}

const hostOf = (known: string | null): string => known?.slice(0, known.lastIndexOf(':')) ?? 'ADDRESS-OR-NAME';
const portOf = (known: string | null): string => known?.slice(known.lastIndexOf(':') + 1) ?? 'PORT';
