/** Who is sent the same messages: another implementation with its log and its answers, and our engine in its place. */
import { createSocket, type Socket } from 'node:dgram';
import { type Endpoint, parseEndpoint, parseIp } from '../../../src/base/address.ts';
import { type Bytes, putU32le } from '../../../src/base/bytes.ts';
import type { PublicKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { TYPE } from '../../../src/wg/constants.ts';
import { mac1Key, stampMacs } from '../../../src/wg/mac.ts';
import { RESPONSE } from '../../../src/wg/message/response.ts';
import type { Step, Verdict } from '../../../src/wg/step.ts';
import { linesOf } from '../peers/expected-lines.ts';
import { echoAnswer } from '../peers/inner-system.ts';
import type { RemoteKind } from '../peers/lines.ts';
import type { DevicePlan, Inner, Remote, RemoteDevice } from '../peers/remote.ts';
import { Twin } from '../peers/twin.ts';

/** A message that is known to be answered: what came before it was judged before its answer. */
export interface Probe {
  readonly bytes: Bytes;
  answers(message: Bytes): boolean;
}

export interface Heard {
  readonly lines: readonly string[];
  readonly replies: readonly Bytes[];
  /** Of our engine only. */
  readonly verdict?: Verdict;
}

export interface Subject {
  /** As `wg setconf`: everything is forgotten. What new peers are sent at once comes back, `expected` of them. */
  configure(expected: number): Promise<readonly Bytes[]>;
  /** One message, and what came of it. `replies`: how many are waited for. */
  hear(bytes: Bytes, probe: Probe | undefined, replies: number): Promise<Heard>;
  /** Bytes from each peer that were accepted, as `wg show` counts them. */
  received(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** What is said of the plan: our own address is known before theirs, and theirs before the plan. */
export type PlanFor = (inner: Inner, ourEndpoint: string) => DevicePlan;

const REPLY_MS = 3000;

async function bound(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, resolve);
  });
  return socket;
}

const placeOf = (socket: Socket): string => `${socket.address().address}:${socket.address().port}`;
const at = (text: string): Endpoint => {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new Error(`${text} is no endpoint`);
  return endpoint;
};

/** What was read in one go is heard in one go: logs and datagrams come by different ways. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class RemoteSubject implements Subject {
  readonly device: RemoteDevice;
  readonly plan: DevicePlan;
  readonly #socket: Socket;
  readonly #aside: Socket;
  readonly #barrier: Bytes;
  #inbox: Bytes[] = [];
  #arrived: () => void = () => {};

  private constructor(device: RemoteDevice, plan: DevicePlan, socket: Socket, aside: Socket, responder: PublicKey) {
    this.device = device;
    this.plan = plan;
    this.#socket = socket;
    this.#aside = aside;
    this.#barrier = new Uint8Array(RESPONSE.size);
    this.#barrier[0] = TYPE.response;
    putU32le(this.#barrier, RESPONSE.receiver.at, 0xbadbad01);
    stampMacs(nodeCrypto, mac1Key(nodeCrypto, responder), undefined, this.#barrier);
    socket.on('message', (message) => {
      this.#inbox.push(new Uint8Array(message));
      this.#arrived();
    });
  }

  static async open(remote: Remote, responder: PublicKey, planFor: PlanFor): Promise<RemoteSubject> {
    const [socket, aside] = await Promise.all(remote.near.map(bound));
    if (socket === undefined || aside === undefined) throw new Error('no sockets');
    let plan: DevicePlan | undefined;
    const device = await remote.device((inner) => {
      plan = planFor(inner, placeOf(socket));
      return { ...plan, peers: [] };
    });
    if (plan === undefined) throw new Error('no plan');
    return new RemoteSubject(device, plan, socket, aside, responder);
  }

  /** Where our messages come from. */
  get from(): Endpoint {
    return at(placeOf(this.#socket));
  }

  async configure(expected: number): Promise<readonly Bytes[]> {
    await this.device.configure({ ...this.plan, peers: [] });
    await this.#barred();
    this.#inbox = [];
    await this.device.configure(this.plan);
    await this.#until('an initiation', () => this.#inbox.length >= expected);
    return this.#inbox.splice(0);
  }

  async hear(bytes: Bytes, probe: Probe | undefined, replies: number): Promise<Heard> {
    const mark = this.device.mark;
    this.#inbox = [];
    await this.#send(this.#socket, bytes);
    if (probe !== undefined) {
      await this.#send(this.#socket, probe.bytes);
      await this.#until('the probe to be answered', () => this.#inbox.some((message) => probe.answers(message)));
    }
    await this.#barred();
    const come = (): Bytes[] => this.#inbox.filter((message) => probe?.answers(message) !== true);
    if (come().length < replies) await this.#until('a reply', () => come().length >= replies).catch(() => {});
    const aside = placeOf(this.#aside);
    const entries = this.device
      .entriesSince(mark)
      .filter(({ kind, text }) => kind !== 'aside' && !text.includes(aside));
    return { lines: entries.map(({ kind, text }) => (kind === 'other' ? text : kind)), replies: come() };
  }

  /** One behind the other, with nothing between them. */
  async hearAll(messages: readonly Bytes[]): Promise<Heard> {
    const mark = this.device.mark;
    this.#inbox = [];
    await Promise.all(messages.map((bytes) => this.#send(this.#socket, bytes)));
    await this.#barred();
    return { lines: this.#linesSince(mark), replies: this.#inbox };
  }

  async received(): Promise<ReadonlyMap<string, number>> {
    const figures = await this.device.figures();
    return new Map([...figures].map(([key, { receivedBytes }]) => [key, receivedBytes]));
  }

  async close(): Promise<void> {
    for (const socket of [this.#socket, this.#aside]) socket.close();
    await this.device.close();
  }

  #linesSince(mark: number): string[] {
    const aside = placeOf(this.#aside);
    const entries = this.device
      .entriesSince(mark)
      .filter(({ kind, text }) => kind !== 'aside' && !text.includes(aside));
    return entries.map(({ kind, text }) => (kind === 'other' ? text : kind));
  }

  #send(socket: Socket, bytes: Bytes): Promise<void> {
    const { ip, port } = at(this.device.endpoint);
    return new Promise((resolve, reject) => {
      socket.send(bytes, port, ip.join('.'), (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** A response for nobody, from elsewhere: handshakes are judged in their order, and this one leaves a line. */
  async #barred(): Promise<void> {
    const mark = this.device.mark;
    await this.#send(this.#aside, this.#barrier);
    await this.device.waitFor('response-invalid', mark, placeOf(this.#aside));
    await turn();
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const end = Date.now() + REPLY_MS;
    while (!holds()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`waited in vain for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

export class TwinSubject implements Subject {
  readonly #twin: Twin;
  readonly #kind: RemoteKind;
  readonly #plan: DevicePlan;
  readonly #from: Endpoint;
  readonly #own: readonly Bytes[];

  constructor(kind: RemoteKind, plan: DevicePlan, from: Endpoint, inner: Inner) {
    this.#twin = new Twin(kind);
    this.#kind = kind;
    this.#plan = plan;
    this.#from = from;
    this.#own = [inner.their, inner.their6].map((text) => parseIp(text)).filter((ip) => ip !== undefined);
  }

  async configure(): Promise<readonly Bytes[]> {
    return this.#twin
      .configure(this.#plan)
      .filter((effect) => effect.kind === 'send')
      .map(({ bytes }) => bytes);
  }

  async hear(bytes: Bytes, probe: Probe | undefined): Promise<Heard> {
    const { verdict, effects } = this.#twin.receive(bytes, this.#from);
    const replies = this.#replies(effects);
    const lines = linesOf(this.#kind, verdict);
    if (probe !== undefined) {
      const answered = this.#replies(this.#twin.receive(probe.bytes, this.#from).effects);
      if (!answered.some((message) => probe.answers(message))) throw new Error('the probe went unanswered');
    }
    return { lines, replies, verdict };
  }

  async received(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#twin.device.peers().map(({ id, receivedBytes }) => [id, receivedBytes]));
  }

  async close(): Promise<void> {}

  /** The system behind it answers what is delivered. */
  #replies(effects: Step['effects']): Bytes[] {
    return effects.flatMap((effect) => {
      if (effect.kind === 'send') return [effect.bytes.slice()];
      if (effect.kind !== 'deliver') return [];
      const version = (effect.bytes[0] ?? 0) >>> 4;
      const own = this.#own.find(({ length }) => length === (version === 4 ? 4 : 16));
      const back = own === undefined ? undefined : echoAnswer(effect.bytes, own, this.#kind === 'linux');
      return back === undefined ? [] : this.#replies(this.#twin.handle({ kind: 'packet', bytes: back }).effects);
    });
  }
}
