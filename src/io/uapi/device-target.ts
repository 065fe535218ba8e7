/** A device behind a control socket: its state as `wg` wants it told, and the changes that `wg` asks for made to it. */
import { toBase64 } from '../../base/base64.ts';
import { equal } from '../../base/bytes.ts';
import type { PublicKey } from '../../base/keys.ts';
import type { UapiAllowedIp, UapiChange, UapiPeerChange, UapiRefusal, UapiSnapshot } from '../../config/uapi.ts';
import type { Device } from '../../wg/device.ts';
import type { PeerId } from '../../wg/drop.ts';
import type { Change, Verdict } from '../../wg/step.ts';
import { errorCode } from '../udp.ts';
import type { UapiTarget } from './server.ts';

/** A DeviceDriver is one. */
export interface ConfigurableDevice {
  readonly device: Pick<Device, 'publicKey' | 'peers' | 'secrets'>;
  configure(change: Change): Verdict;
}

/** The sockets are not the device's. What cannot be done rejects, with a `code` if it has one, and changes nothing. */
export interface SocketHooks {
  listenPort(): number;
  /** 0 for any. */
  rebind(port: number): Promise<void>;
  fwmark(): number;
  /** 0 for none. */
  setFwmark(fwmark: number): Promise<void>;
  /** The peer was removed, or its endpoint set: a name that was looked up for it does not count any more. */
  forgetName?(peer: PeerId): void;
}

export function deviceTarget(driver: ConfigurableDevice, hooks: SocketHooks): UapiTarget {
  return {
    snapshot: () => snapshot(driver.device, hooks),
    apply: async (changes) => {
      // What can fail comes first; the rest is then made in one go, so nobody ever sees half of it.
      const refusal = await setSockets(changes, hooks);
      if (refusal === undefined) configureAll(driver, hooks, changes);
      return refusal;
    },
  };
}

function snapshot(device: ConfigurableDevice['device'], hooks: SocketHooks): UapiSnapshot {
  const { privateKey, presharedKeys } = device.secrets();
  const peers = device.peers().map((peer) => ({ ...peer, presharedKey: presharedKeys.get(peer.id) }));
  return { privateKey, listenPort: hooks.listenPort(), fwmark: hooks.fwmark(), peers };
}

/** The last word about each counts. A port that is there already stays (kernel netlink.c, set_port). */
async function setSockets(changes: readonly UapiChange[], hooks: SocketHooks): Promise<UapiRefusal | undefined> {
  let port = hooks.listenPort();
  const oldMark = hooks.fwmark();
  let mark = oldMark;
  let rebinds = false;
  for (const change of changes) {
    if (change.kind === 'fwmark') mark = change.fwmark;
    if (change.kind !== 'listen-port') continue;
    port = change.port;
    rebinds = port === 0 || port !== hooks.listenPort();
  }
  if (mark !== oldMark) {
    const refusal = await tried('the fwmark cannot be set', () => hooks.setFwmark(mark));
    if (refusal !== undefined) return refusal;
  }
  if (!rebinds) return undefined;
  const refusal = await tried(`UDP port ${port} cannot be opened`, () => hooks.rebind(port));
  if (refusal !== undefined && mark !== oldMark) await tried('', () => hooks.setFwmark(oldMark));
  return refusal;
}

async function tried(message: string, run: () => Promise<void>): Promise<UapiRefusal | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    return { code, problems: [{ message: `${message} (${code})` }] };
  }
}

function configureAll(driver: ConfigurableDevice, hooks: SocketHooks, changes: readonly UapiChange[]): void {
  const { device } = driver;
  const peers = new Map<PeerId, PublicKey>(device.peers().map(({ id, publicKey }) => [id, publicKey]));
  const remove = (publicKey: PublicKey): void => {
    const id = toBase64(publicKey);
    if (peers.delete(id)) driver.configure({ change: 'remove-peer', publicKey });
    hooks.forgetName?.(id);
  };
  for (const change of changes) {
    switch (change.kind) {
      case 'private-key':
        driver.configure({ change: 'private-key', privateKey: change.privateKey });
        // The device itself takes out the peer that it would now be.
        if (device.publicKey !== undefined) remove(device.publicKey);
        break;
      case 'replace-peers':
        for (const publicKey of [...peers.values()]) remove(publicKey);
        break;
      case 'remove-peer':
        remove(change.publicKey);
        break;
      case 'peer': {
        const id = toBase64(change.publicKey);
        if (change.updateOnly && !peers.has(id)) break;
        // Passed over without a word, as kernel and wireguard-go do: one list of peers may serve all of them.
        if (device.publicKey !== undefined && equal(device.publicKey, change.publicKey)) break;
        peers.set(id, change.publicKey);
        setPeer(driver, change);
        if (change.endpoint !== undefined) hooks.forgetName?.(id);
        break;
      }
      case 'listen-port':
      case 'fwmark':
        break;
    }
  }
}

function setPeer(driver: ConfigurableDevice, change: UapiPeerChange): void {
  const { publicKey, presharedKey, endpoint, persistentKeepalive, replaceAllowedIps } = change;
  const [first, ...more] = runs(change.allowedIps);
  driver.configure({
    change: 'peer',
    publicKey,
    replaceAllowedIps,
    ...(presharedKey === undefined ? {} : { presharedKey }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(persistentKeepalive === undefined ? {} : { persistentKeepalive }),
    ...first,
  });
  for (const run of more) driver.configure({ change: 'peer', publicKey, ...run });
}

type Run = Required<Pick<Extract<Change, { change: 'peer' }>, 'removeAllowedIps' | 'allowedIps'>>;

/** The device takes away before it adds: the order of the lines asks for a further change wherever it is the other. */
function runs(lines: readonly UapiAllowedIp[]): Run[] {
  const out: { removeAllowedIps: UapiAllowedIp['prefix'][]; allowedIps: UapiAllowedIp['prefix'][] }[] = [];
  for (const { prefix, remove } of lines) {
    let run = out.at(-1);
    if (run === undefined || (remove && run.allowedIps.length > 0)) {
      run = { removeAllowedIps: [], allowedIps: [] };
      out.push(run);
    }
    (remove ? run.removeAllowedIps : run.allowedIps).push(prefix);
  }
  return out;
}
