/** How large a packet comes through the tunnel and back: echoes of growing size. The outer packet is what the path carries. */
import { paddedLength } from '../wg/send-data.ts';
import { OVERHEAD } from '../wg/transport.ts';
import { echoRequest, leastEchoSize, readEchoAnswer } from './echo.ts';
import { freshEchoId, type PingLine, type PingPlan } from './ping.ts';

/** An echo has one size both ways, so it measures the smaller of the two directions. */
export interface PathMtu {
  /** The largest inner packet that came back, bytes; 0 for none. */
  readonly inner: number;
  /** Its outer packet with IP and UDP headers. */
  readonly outer: number;
  /** The first that did not come back; undefined when the largest that was tried did. */
  readonly lost: { readonly inner: number; readonly outer: number } | undefined;
}

const UDP_HEADER_BYTES = 8;
const WAIT_MS = 1000;
/** One loss may be chance; two of one size are not taken for it. */
const ECHOES_OF_A_SIZE = 2;
/** Wide steps first, where hardly any path ends; then those of padding, below which nothing differs (wp §5.4.6). */
const COARSE = [256, 512, 768, 1024, 1152];
const FINE_BYTES = 16;
/** A larger MTU than that of any cable is taken in this many steps. */
const MOST_FINE = 40;

/** Padded inner + 60 in IPv4, + 80 in IPv6. */
export function outerLength(inner: number, mtu: number, family: 4 | 6): number {
  return paddedLength(inner, mtu) + OVERHEAD + UDP_HEADER_BYTES + (family === 4 ? 20 : 40);
}

/** Growing, up to the MTU of the inner interface itself. */
export function echoSizes(mtu: number, least: number): number[] {
  const sizes = COARSE.filter((size) => size >= least && size < mtu);
  const from = sizes.at(-1) ?? least;
  const step = Math.max(FINE_BYTES, Math.ceil((mtu - from) / MOST_FINE / FINE_BYTES) * FINE_BYTES);
  for (let size = from + step; size < mtu; size += step) sizes.push(size);
  return mtu >= least ? [...sizes, mtu] : sizes;
}

/**
 * Ends at the first size that is lost: once the system has learnt that a packet is too large, it cuts all larger ones
 * into fragments, and those would come through.
 */
export async function measurePathMtu(line: PingLine, plan: PingPlan, mtu: number, family: 4 | 6): Promise<PathMtu> {
  const id = freshEchoId(line.random);
  const outer = (inner: number): number => (inner === 0 ? 0 : outerLength(inner, mtu, family));
  let good = 0;
  let sequence = 0;
  for (const size of echoSizes(mtu, leastEchoSize(plan.to.length))) {
    let answer: Outcome = 'lost';
    for (let echo = 0; echo < ECHOES_OF_A_SIZE && answer === 'lost'; echo++) {
      answer = await oneEcho(line, plan, { id, sequence: ++sequence & 0xffff, size });
    }
    if (answer !== 'came') return { inner: good, outer: outer(good), lost: { inner: size, outer: outer(size) } };
    good = size;
  }
  return { inner: good, outer: outer(good), lost: undefined };
}

type Outcome = 'came' | 'lost' | 'too-large';

function oneEcho(
  { clock, send, listen }: PingLine,
  { from, to }: PingPlan,
  { id, sequence, size }: { readonly id: number; readonly sequence: number; readonly size: number },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      listen({});
      callOff();
      resolve(outcome);
    };
    const callOff = clock.at(clock.now().monoMs + WAIT_MS, () => end('lost'));
    listen({
      onTooLarge: () => end('too-large'),
      onPacket: (packet) => {
        const answer = readEchoAnswer(packet, { to, id });
        if (answer?.kind === 'reply' && answer.sequence === sequence) end('came');
      },
    });
    send(echoRequest({ from, to, id, sequence, size }));
  });
}
