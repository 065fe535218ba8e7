/** The responder opens the initiator's static key, and has no such peer. */
import { toBase64 } from '../../base/base64.ts';
import { initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { nearestKey } from '../key-distance.ts';
import { defineRule } from '../rule.ts';

export const unknownInitiator = defineRule({
  name: 'unknown-initiator',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.2',
  hides: ['rekey-failed', 'key-changed', 'no-response', 'responder-silent', 'duplicate-identity'],
  ofPair: true,
  explain: {
    what: 'the initiation opens with the responder’s private key, and the static key in it is no peer of the responder',
    why: 'a responder answers only keys that it has as a [Peer]: for every other one it stays silent',
    fix: 'add the key that the finding prints to the responder as a [Peer], or give the initiator the private key whose public key is configured there',
  },
  check(attempt, world) {
    const { refused, sight } = refusedAs(attempt, 'unknown-peer');
    if (sight?.identity === undefined || sight.mac1.kind !== 'known') return undefined;
    const conf = world.keys.confOf(sight.mac1.key);
    if (conf === undefined) return undefined;
    const identity = toBase64(sight.identity);
    const near = nearestKey(identity, [...conf.peers.keys()]);
    const owner = world.keys.publics.get(identity);
    const notes: string[] = [];
    if (identity === sight.mac1.key.text)
      notes.push('it is the responder’s own key: both ends were given the same private key');
    else if (owner !== undefined) notes.push(`the key is known: ${owner.sources.join(', ')}`);
    if (near !== undefined)
      notes.push(`${conf.name} has ${near.key}, which differs in ${near.distance} characters only`);
    else
      notes.push(
        `${conf.name} has ${conf.peers.size === 1 ? 'one peer, another key' : `${conf.peers.size} peers, none with this key`}`,
      );
    return {
      facts: {
        identity,
        responder: keyLabel(sight.mac1.key),
        file: conf.name,
        initiations: refused.length,
        nearest: near?.key ?? null,
      },
      certainty: 'proven',
      frames: initiationFrames(refused),
      subject: subjectOf(attempt),
      notes,
      ruledOut: [{ rule: 'wrong-responder-key', because: `MAC1 is right for ${keyLabel(sight.mac1.key)}` }],
    };
  },
  message: ({ identity, file }) => `the initiator shows the key ${identity}, and ${file} has no peer with it`,
  fix: ({ identity }) => ({
    linux: [
      `on the responder: [Peer] PublicKey = ${identity} with the AllowedIPs of this peer`,
      `at once, until restart: wg set INTERFACE peer ${identity} allowed-ips …`,
    ],
    routeros: [
      `on the responder: /interface wireguard peers add interface=… public-key="${identity}" allowed-address=…`,
    ],
  }),
});
