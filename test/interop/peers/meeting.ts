/** One device of theirs and one tunnel of ours that are to meet, well or ill; what their log must say of it. */
import { expect } from 'vitest';
import { type Endpoint, parseEndpoint } from '../../../src/base/address.ts';
import { TYPE } from '../../../src/wg/constants.ts';
import type { Verdict } from '../../../src/wg/step.ts';
import { linesOf } from './expected-lines.ts';
import { type Keys, newKeys, newPsk } from './keys.ts';
import type { LineKind } from './lines.ts';
import { Ours } from './ours.ts';
import type { DevicePlan, Inner, Remote, RemoteDevice } from './remote.ts';
import { Twin } from './twin.ts';

export interface Meeting {
  readonly device: RemoteDevice;
  readonly plan: DevicePlan;
  readonly ours: Ours;
  readonly our: Keys;
  readonly their: Keys;
  /** Of their log, before anything was said. */
  readonly mark: number;
}

export interface Wishes {
  readonly psk?: 'same' | 'differs' | undefined;
  /** Who is told where the other is; only they can begin then. */
  readonly begins?: 'we' | 'they';
  /** The key that they have for us, or we for them, is of somebody else. */
  readonly stranger?: 'we' | 'they';
}

interface Closable {
  close(): void | Promise<void>;
}

export const at = (text: string): Endpoint => parseEndpoint(text) ?? expect.fail(text);

export class Meetings {
  readonly #open: Closable[] = [];

  /** Is closed with all others. */
  keep<T extends Closable>(one: T): T {
    this.#open.push(one);
    return one;
  }

  async begin(remote: Remote, { psk, begins = 'we', stranger }: Wishes = {}): Promise<Meeting> {
    const [our, their, other] = [newKeys(), newKeys(), newKeys()];
    const [first, second] = [newPsk(), newPsk()];
    const ourPsk = psk === undefined ? {} : { presharedKey: first };
    const theirPsk = psk === undefined ? {} : { presharedKey: psk === 'same' ? first : second };
    const port = 40_000 + Math.floor(Math.random() * 20_000);
    const publicKey = stranger === 'we' ? other.publicText : our.publicText;
    const endpoint = begins === 'they' ? { endpoint: `${remote.near[0]}:${port}` } : {};
    const plan = (inner: Inner): DevicePlan => ({
      privateKey: their.secretText,
      peers: [{ publicKey, allowedIps: `${inner.our}/32, ${inner.our6}/128`, ...theirPsk, ...endpoint }],
    });
    const device = this.keep(await remote.device(plan));
    const ours = await Ours.open({
      privateKey: our.secretText,
      peer: {
        publicKey: stranger === 'they' ? other.publicText : their.publicText,
        ...ourPsk,
        ...(begins === 'we' ? { endpoint: device.endpoint } : {}),
      },
      inner: device.inner,
      address: remote.near[0],
      port,
    });
    return { device, plan: plan(device.inner), ours: this.keep(ours), our, their, mark: device.mark };
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((one) => one.close()));
  }
}

/** Their own words about our initiations must be those that our engine's verdicts in their place stand for. */
export function judgedThere({ device, plan, ours }: Meeting): Verdict[] {
  const twin = new Twin(device.kind);
  twin.configure(plan);
  return ours.sent
    .filter((bytes) => bytes[0] === TYPE.initiation)
    .map((bytes) => twin.receive(bytes, at(ours.endpoint)).verdict);
}

export const theirLines = (device: RemoteDevice, verdicts: readonly Verdict[]): LineKind[] =>
  verdicts.flatMap((verdict) => linesOf(device.kind, verdict));

/** Their log comes by another way than their messages. */
export async function theySay(device: RemoteDevice, mark: number, lines: readonly string[]): Promise<void> {
  await expect.poll(() => device.linesSince(mark), { interval: 5, timeout: 10_000 }).toEqual(lines);
}
