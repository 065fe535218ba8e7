/** Two ends of one network have the same tunnel address. */
import type { World } from '../../analyze/world.ts';
import { formatIp, formatPrefix, type IpBytes, type Prefix } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { equal } from '../../base/bytes.ts';
import type { Located } from '../../config/text.ts';
import { type End, ends, fileSubject, isHost, placeOf } from '../config-evidence.ts';
import { type Edit, settingEdit } from '../edit.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface DuplicateFacts extends Facts {
  readonly address: string;
  readonly one: string;
  readonly other: string;
  /** The file that has both of them as its peers; null where they are each other’s. */
  readonly hub: string | null;
  /** The place at fault and what belongs there, where the hub’s AllowedIPs say it. */
  readonly wrong: string | null;
  readonly wanted: string | null;
}

export const addressDuplicate = defineRule({
  name: 'address-duplicate',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'two ends that meet in one tunnel, as each other’s peer or as peers of a third one, have the same Address',
    why: 'an address belongs to one peer: what is sent to it reaches one of the two only, and what the other one sends is dropped as coming from a source that is not allowed, or is answered to the wrong one',
    fix: 'give each end an address of its own, and write that one with /32 (IPv6: /128) into its [Peer] at the server',
  },
  check(world): Found<DuplicateFacts>[] {
    const holders = byAddress(ends(world));
    const out: Found<DuplicateFacts>[] = [];
    for (const list of holders.values()) {
      for (const [i, one] of list.entries()) {
        for (const other of list.slice(i + 1)) {
          const found = judge(one, other, world);
          if (found !== undefined) out.push(found);
        }
        if (out.length >= PAIRS) return out;
      }
    }
    return out;
  },
  message({ address, one, other, hub, wrong, wanted }) {
    const where = hub === null ? 'which are each other’s peers' : `which are both peers of ${hub}`;
    const right = wrong === null || wanted === null ? '' : `; for ${wrong} it has ${wanted}`;
    return `${address} is the Address at ${one} and at ${other}, ${where}${right}`;
  },
  fix: ({ wrong, wanted, address, one, other }) => ({
    linux: [
      `at ${wrong ?? `${one} or ${other}`}: Address = ${wanted ?? 'another one of the same network'}`,
      `at once, until restart: ip address del ${address} dev INTERFACE; ip address add ${wanted ?? 'ADDRESS/LENGTH'} dev INTERFACE`,
    ],
    routeros: [`/ip address set [find address~"^${address}/"] address=${wanted ?? 'ADDRESS/LENGTH'}`],
  }),
});

/** Told at most; one address pasted everywhere makes very many pairs. */
const PAIRS = 20;
/** Ends of one address that are compared with each other. */
const HOLDERS = 50;

interface Holder {
  readonly end: End;
  readonly address: Located<Prefix>;
}

function byAddress(all: readonly End[]): Map<string, Holder[]> {
  const out = new Map<string, Holder[]>();
  for (const end of all) {
    for (const address of end.entry.conf.interface.addresses) {
      // each link has its own
      if (scopeOf(address.value.ip) === 'link-local') continue;
      const text = formatIp(address.value.ip);
      const list = out.get(text) ?? [];
      out.set(text, list);
      if (list.length < HOLDERS && !list.some(({ end: { own } }) => own === end.own)) list.push({ end, address });
    }
  }
  return out;
}

function judge(one: Holder, other: Holder, world: World): Found<DuplicateFacts> | undefined {
  const { ip } = one.address.value;
  const hub = ends(world).find(
    ({ entry, own }) =>
      own !== one.end.own && own !== other.end.own && [one, other].every(({ end }) => entry.peers.has(end.own.text)),
  );
  if (hub === undefined && !(lists(one.end, other.end) && lists(other.end, one.end))) return undefined;
  const correction =
    hub === undefined ? undefined : [other, one].map((holder) => corrected(holder, hub, ip)).find(Boolean);
  const subject = correction?.holder ?? other;
  return {
    facts: {
      address: formatIp(ip),
      one: placeOf(one.end.entry, one.address.line),
      other: placeOf(other.end.entry, other.address.line),
      hub: hub === undefined ? null : hub.entry.name,
      wrong: correction === undefined ? null : placeOf(correction.holder.end.entry, correction.holder.address.line),
      wanted: correction?.wanted ?? null,
    },
    certainty: 'proven',
    frames: [],
    subject: fileSubject(subject.end.entry),
    edits: correction?.edits ?? [],
  };
}

const lists = (a: End, b: End): boolean => a.entry.peers.has(b.own.text);

interface Correction {
  readonly holder: Holder;
  readonly wanted: string;
  readonly edits: readonly Edit[];
}

/** The hub has one other address for this end: that one is meant. */
function corrected(holder: Holder, hub: End, ip: IpBytes): Correction | undefined {
  const { end, address } = holder;
  const hosts = (hub.entry.peers.get(end.own.text)?.allowedIps ?? []).filter(
    ({ value }) => value.ip.length === ip.length && isHost(value),
  );
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1 || equal(host.value.ip, ip)) return undefined;
  const wanted = formatPrefix({ ip: host.value.ip, bits: address.value.bits });
  const line = end.entry.conf.interface.addresses
    .filter((one) => one.line === address.line)
    .map((one) => (one === address ? wanted : formatPrefix(one.value)))
    .join(', ');
  return { holder, wanted, edits: settingEdit(end.entry, address.line, 'Address', line) };
}
