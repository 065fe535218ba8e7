/** The tunnel is up, and nothing but keepalives goes through it. */
import { isAnswered } from '../../analyze/world.ts';
import { defineRule } from '../rule.ts';

/** Fewer say nothing yet. */
const ENOUGH = 3;

export const keepaliveOnly = defineRule({
  name: 'keepalive-only',
  severity: 'info',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §6.5',
  explain: {
    what: 'handshakes succeed, and every data message in both directions is a keepalive',
    why: 'a keepalive is an empty packet: the tunnel itself is well, nothing is routed into it, or nobody has anything to say',
    fix: 'nothing has to be done if no traffic was expected; else look at the routes: does the destination lead into the tunnel (AllowedIPs, ip route get)?',
  },
  check(tunnel) {
    const halves = tunnel.sessions.flatMap(({ session }) =>
      [session.toInitiator ?? [], session.toResponder ?? []].flat(),
    );
    const packets = halves.reduce((sum, half) => sum + half.packets, 0);
    const keepalives = halves.reduce((sum, half) => sum + half.keepalives, 0);
    const [first] = halves;
    // one direction alone may be anybody's
    const up = tunnel.exchanges.some(isAnswered) || new Set(halves.map(({ sender }) => sender.text)).size > 1;
    if (first === undefined || !up || keepalives < ENOUGH || packets !== keepalives) return undefined;
    return {
      facts: { keepalives, from: first.sender.text, to: first.owner.text },
      certainty: 'proven',
      frames: halves.map((half) => half.first),
      subject: `tunnel:${first.sender.text} ~ ${first.owner.text}`,
    };
  },
  message: ({ keepalives, from, to }) =>
    `the tunnel between ${from} and ${to} is up and carries ${keepalives} keepalives and no data`,
});
