/** Our tunnel and the kernel's WireGuard in a guest, and wireguard-go: both roles, well and ill; their log must say what we say. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isZero } from '../../src/base/bytes.ts';
import { TYPE } from '../../src/wg/constants.ts';
import { INITIATION } from '../../src/wg/message/initiation.ts';
import { sleep } from './lab/shell.ts';
import { linesOf } from './peers/expected-lines.ts';
import { Flood } from './peers/flood.ts';
import { GoRemote } from './peers/go-remote.ts';
import { KernelRemote } from './peers/kernel-remote.ts';
import { lacking } from './peers/lacking.ts';
import type { RemoteKind } from './peers/lines.ts';
import { at, judgedThere, type Meeting, Meetings, theirLines, theySay, type Wishes } from './peers/meeting.ts';
import { enterNamespace } from './peers/namespace.ts';
import { Ours } from './peers/ours.ts';
import type { Remote } from './peers/remote.ts';
import { ShiftedClock } from './peers/shifted-clock.ts';
import { emptyInitiation, Stranger } from './peers/stranger.ts';
import { Twin } from './peers/twin.ts';

const DAY_SECONDS = 86_400;
/** For them no two minutes have passed: what comes sooner is a flood (wp §6.1, 20 ms). */
const THEIR_GAP_SECONDS = 0.04;
/** Past every deadline of a retry: 5 s and its jitter. */
const RETRY_MS = 5_400;
/**
 * More than what makes load (512 that wait, 128 in wireguard-go), few enough to find room while the receiver is held: on the
 * way to the guest, and in the socket of a process.
 */
const FLOOD: Readonly<Record<RemoteKind, number>> = { linux: 900, 'wireguard-go': 240 };

/** Whether its queue fills before it is emptied is for its scheduler to say, and on a busy machine it may not. */
const UNDER_LOAD = { retry: 3 };
/** How long a cookie may take: whoever is not under load sends none. */
const COOKIE_MS = 3000;

/** Twice what may come at once from one source (wp §5.3: 20 a second, 5 at once). */
const RATE_TRIED = 12;

const why = await lacking();
const title = why === undefined ? '' : ` (${why})`;

const accepted = (message: string) => expect.objectContaining({ kind: 'accepted', message });

const MAC1_INVALID = { drop: { kind: 'mac1-invalid' } };

describe.skipIf(why !== undefined)(`both roles${title}`, () => {
  const remotes = new Map<RemoteKind, Remote>();
  const meetings = new Meetings();
  let home: () => void = () => {};

  beforeAll(async () => {
    home = await enterNamespace();
    remotes.set('wireguard-go', new GoRemote());
    remotes.set('linux', await KernelRemote.boot());
  }, 120_000);

  afterAll(async () => {
    for (const remote of remotes.values()) await remote.close();
    home();
  }, 30_000);

  afterEach(() => meetings.close());

  const remoteOf = (kind: RemoteKind): Remote => remotes.get(kind) ?? expect.fail(kind);

  const meet = (kind: RemoteKind, wishes?: Wishes): Promise<Meeting> => meetings.begin(remoteOf(kind), wishes);

  describe.each(['linux', 'wireguard-go'] as const)('%s', (kind) => {
    test.each([undefined, 'same'] as const)('we begin, preshared key: %s', async (psk) => {
      const meeting = await meet(kind, { psk });
      const { device, ours, our, mark } = meeting;
      await ours.echo();
      expect(judgedThere(meeting)).toEqual([accepted('initiation')]);
      await theySay(device, mark, theirLines(device, judgedThere(meeting)));
      expect(ours.happenings).toEqual(['session-derived', 'handshake-complete']);
      expect(ours.drops).toEqual([]);
      const figures = (await device.figures()).get(our.publicText);
      expect(figures?.latestHandshake).toBeGreaterThan(0);
      expect(figures?.endpoint).toBe(ours.endpoint);
      expect([figures?.receivedBytes, figures?.sentBytes]).toEqual([ours.peer.sentBytes, ours.peer.receivedBytes]);
    });

    test.each([undefined, 'same'] as const)('they begin, preshared key: %s', async (psk) => {
      const { device, ours, our, mark } = await meet(kind, { psk, begins: 'they' });
      expect(await device.ask(5000)).toBe(true);
      await theySay(device, mark, [
        'initiation-sent',
        ...linesOf(kind, { kind: 'accepted', message: 'response', peer: '' }),
      ]);
      expect(ours.judged.map(({ verdict }) => verdict)).toEqual([accepted('initiation'), accepted('data')]);
      expect(ours.happenings).toEqual(['endpoint-learned', 'session-derived', 'handshake-complete']);
      const figures = (await device.figures()).get(our.publicText);
      expect(figures?.latestHandshake).toBeGreaterThan(0);
      expect([figures?.receivedBytes, figures?.sentBytes]).toEqual([ours.peer.sentBytes, ours.peer.receivedBytes]);
      await ours.echo();
    });

    test('after two minutes our next packet brings a new session; the old one still carries theirs', async () => {
      const meeting = await meet(kind, { psk: 'same' });
      const { device, ours, mark } = meeting;
      await ours.echo();
      await sleep(THEIR_GAP_SECONDS);
      ours.clock.pass(121_000);
      await ours.echo();
      await ours.until('the second session', () => ours.peer.sessions.length === 2);
      await ours.echo();
      expect(ours.peer.sessions.map(({ slot, role }) => [slot, role])).toEqual([
        ['previous', 'initiator'],
        ['current', 'initiator'],
      ]);
      expect(judgedThere(meeting)).toEqual([accepted('initiation'), accepted('initiation')]);
      // the packet went under the old session, so the new one begins with a keepalive
      await theySay(device, mark, [...theirLines(device, judgedThere(meeting)), 'keepalive-received']);
      expect(await device.ask(3000)).toBe(true);
      expect(ours.drops).toEqual([]);
    });

    test('what they send under a session that is three minutes old for us is refused, and ours begins another', async () => {
      const { device, ours, mark } = await meet(kind);
      await ours.echo();
      await sleep(THEIR_GAP_SECONDS);
      ours.clock.pass(181_000);
      ours.clock.freeze(); // or the timers would begin it at once
      await device.knock();
      await ours.dropped('data-key-expired');
      ours.clock.thaw();
      await ours.echo();
      expect(await device.ask(3000)).toBe(true);
      await theySay(device, mark, ['initiation-received', 'response-sent', 'initiation-received', 'response-sent']);
    });

    test('we move to another port, and to another address', async () => {
      const { device, ours, our, mark } = await meet(kind);
      await ours.echo();
      const places = [ours.endpoint];
      for (const address of [undefined, remoteOf(kind).near[1]]) {
        await ours.roam(address);
        await ours.echo();
        places.push(ours.endpoint);
        expect((await device.figures()).get(our.publicText)?.endpoint).toBe(ours.endpoint);
        expect(await device.ask(3000)).toBe(true);
      }
      expect(new Set(places).size).toBe(3);
      await theySay(device, mark, ['initiation-received', 'response-sent']);
      expect(ours.drops).toEqual([]);
    });

    test('they move to another port', async () => {
      const { device, ours, mark } = await meet(kind);
      await ours.echo();
      const from = device.endpoint;
      await device.listenOn(61_000);
      expect(await device.ask(3000)).toBe(true);
      expect(ours.events.at(-1)).toMatchObject({
        what: 'endpoint-learned',
        from: { text: from },
        to: { port: 61_000 },
      });
      await ours.echo();
      await theySay(device, mark, ['initiation-received', 'response-sent']);
    });

    test('we have the key of another responder', async () => {
      const meeting = await meet(kind, { stranger: 'they' });
      const { device, ours, mark } = meeting;
      ours.knock();
      await theySay(device, mark, ['mac-invalid']);
      ours.clock.pass(RETRY_MS);
      await ours.until('a retry', () => ours.happenings.includes('handshake-retry'));
      await theySay(device, mark, theirLines(device, judgedThere(meeting)));
      expect(judgedThere(meeting)).toMatchObject([MAC1_INVALID, MAC1_INVALID]);
      expect(ours.judged).toEqual([]);
    });

    test('they have the key of another responder', async () => {
      const { device, ours, mark } = await meet(kind, { begins: 'they', stranger: 'we' });
      await device.knock();
      await ours.dropped('mac1-invalid');
      await theySay(device, mark, ['initiation-sent']);
    });

    test('preshared keys that differ, found out by us', async () => {
      const meeting = await meet(kind, { psk: 'differs' });
      const { device, ours, our, mark } = meeting;
      ours.knock();
      await ours.dropped('empty-unsealable');
      await theySay(device, mark, theirLines(device, judgedThere(meeting)));
      expect((await device.figures()).get(our.publicText)?.latestHandshake).toBe(0);
    });

    test('preshared keys that differ, found out by them', async () => {
      const { device, ours, mark } = await meet(kind, { psk: 'differs', begins: 'they' });
      await device.knock();
      await device.waitFor('response-invalid', mark, ours.endpoint);
      await theySay(device, mark, [
        'initiation-sent',
        ...linesOf(kind, { kind: 'refused', drop: { kind: 'empty-unsealable' } }),
      ]);
      expect(ours.judged.map(({ verdict }) => verdict)).toEqual([accepted('initiation')]);
      expect(ours.happenings).toEqual(['endpoint-learned', 'session-derived']);
    });

    test('they do not know us', async () => {
      const meeting = await meet(kind, { stranger: 'we' });
      const { device, ours, our, mark } = meeting;
      ours.knock();
      await device.waitFor('initiation-invalid', mark, ours.endpoint);
      expect(judgedThere(meeting)).toMatchObject([{ drop: { kind: 'unknown-peer', identity: our.publicKey } }]);
      await theySay(device, mark, theirLines(device, judgedThere(meeting)));
    });

    test('they have no private key', async () => {
      const { device, plan, ours, mark } = await meet(kind);
      await device.set('private-key /dev/null');
      ours.knock();
      await device.waitFor('mac-invalid', mark);
      const twin = new Twin(kind);
      twin.configure(plan);
      twin.handle({ kind: 'configure', change: 'private-key', privateKey: undefined });
      const verdicts = ours.sent.map((bytes) => twin.receive(bytes, at(ours.endpoint)).verdict);
      expect(verdicts).toMatchObject([{ drop: { kind: 'no-private-key' } }]);
      await theySay(device, mark, theirLines(device, verdicts));
    });

    test('we do not know them', async () => {
      const { device, ours, their, mark } = await meet(kind, { stranger: 'they', begins: 'they' });
      await device.knock();
      await ours.dropped('unknown-peer');
      expect(ours.drops[0]).toEqual({ kind: 'unknown-peer', identity: their.publicKey });
      await theySay(device, mark, ['initiation-sent']);
    });

    test('our clock was set back by a day', async () => {
      const meeting = await meet(kind);
      const { device, ours, our, their } = meeting;
      await ours.echo();
      const again = await Ours.open({
        privateKey: our.secretText,
        peer: { publicKey: their.publicText, endpoint: device.endpoint },
        inner: device.inner,
        address: remoteOf(kind).near[0],
        clock: new ShiftedClock(-DAY_SECONDS),
      });
      meetings.keep(again);
      const mark = device.mark;
      again.knock();
      await device.waitFor('initiation-invalid', mark, again.endpoint);
      ours.sent.push(...again.sent);
      const verdicts = judgedThere(meeting);
      expect(verdicts).toMatchObject([{ kind: 'accepted' }, { drop: { kind: 'timestamp-replayed' } }]);
      await theySay(device, mark, theirLines(device, verdicts.slice(1)));
    });

    test('under load they demand a cookie, and we come back with MAC2', UNDER_LOAD, async () => {
      const meeting = await meet(kind);
      const { device, ours, their } = meeting;
      const remote = remoteOf(kind);
      const flood = await Flood.prepare(remote.near[1], at(device.endpoint), their.publicKey, FLOOD[kind]);
      meetings.keep(flood);
      const first = device.mark;
      await device.whileHeld(() =>
        flood.burst(async () => {
          ours.knock();
          await ours.until('an initiation', () => ours.sent.length === 1);
          ours.clock.freeze(); // however long they take, this is the one they answer
        }),
      );
      await ours.until('an answer', () => ours.judged.length > 0);
      expect(ours.judged[0]?.verdict).toEqual(accepted('cookie-reply'));
      await device.waitFor('cookie-sent', first, ours.endpoint);

      const second = device.mark;
      await device.whileHeld(() =>
        flood.burst(async () => {
          ours.clock.thaw();
          ours.clock.pass(RETRY_MS);
          await ours.until('a retry', () => ours.sent.length === 2);
          ours.clock.freeze();
        }),
      );
      await ours.until('a session', () => ours.peer.sessions.length > 0);
      const [without, ...withCookie] = ours.sent.filter((bytes) => bytes[0] === TYPE.initiation);
      const mac2 = (bytes: Uint8Array | undefined) => bytes?.subarray(INITIATION.mac2.at) ?? expect.fail();
      expect(isZero(mac2(without))).toBe(true);
      expect(withCookie.map((bytes) => isZero(mac2(bytes)))).toEqual([false]);
      // they were under load still: strangers were asked for cookies until our turn came
      const lines = device.linesSince(second);
      expect(lines.indexOf('cookie-sent')).toBeGreaterThanOrEqual(0);
      expect(lines.indexOf('cookie-sent')).toBeLessThan(lines.indexOf('initiation-received'));
      expect(
        device.entriesSince(second).some(({ kind, text }) => kind === 'cookie-sent' && text.includes(ours.endpoint)),
      ).toBe(false);
    });

    test('under load a right MAC2 is good for so many a second, from its address', UNDER_LOAD, async () => {
      const { device, their } = await meet(kind);
      const to = at(device.endpoint);
      const [here, there] = remoteOf(kind).near;
      const flood = await Flood.prepare(there, to, their.publicKey, FLOOD[kind]);
      const [guest, thief] = await Promise.all([here, there].map((from) => Stranger.at(from, to, their.publicKey)));
      if (guest === undefined || thief === undefined) throw new Error('nobody');
      for (const one of [flood, guest, thief]) meetings.keep(one);
      let asked: Promise<Uint8Array | undefined> = Promise.resolve(undefined);
      await device.whileHeld(() =>
        flood.burst(async () => {
          asked = guest.askForCookie(COOKIE_MS);
        }),
      );
      const cookie = (await asked) ?? expect.fail('no cookie');

      const mark = device.mark;
      const again = emptyInitiation(their.publicKey, cookie);
      await device.whileHeld(() =>
        flood.burst(async () => {
          for (let i = 0; i < RATE_TRIED; i++) await guest.send(again);
          await thief.send(again);
        }),
      );
      await device.waitFor('cookie-sent', mark, thief.endpoint);
      const ofGuest = device.entriesSince(mark).filter(({ text }) => text.includes(guest.endpoint));
      const passed = ofGuest.filter((entry) => entry.kind === 'initiation-invalid').length;
      // five at once; some more where judging them took its time
      expect(passed).toBeGreaterThanOrEqual(5);
      expect(passed).toBeLessThan(RATE_TRIED);
      const refused = linesOf(kind, { kind: 'refused', drop: { kind: 'rate-limited', source: guest.endpoint } });
      const wanted = Array.from({ length: RATE_TRIED - passed }, () => refused).flat();
      expect(ofGuest.filter((entry) => entry.kind !== 'initiation-invalid').map((entry) => entry.kind)).toEqual(wanted);
    });

    test('under load we demand a cookie, and they come back with MAC2', async () => {
      const { device, ours, our, mark } = await meet(kind, { begins: 'they' });
      const flood = await Flood.prepare(remoteOf(kind).near[1], at(ours.endpoint), our.publicKey, FLOOD.linux);
      meetings.keep(flood);
      const demanded = ours.dropped('cookie-demanded');
      await flood.burst();
      await demanded;
      ours.clock.freeze(); // under load from now on
      const asked = device.ask(9000);
      const theirPort = device.endpoint.slice(device.endpoint.indexOf(':'));
      const theirs = () => ours.judged.filter(({ from }) => from.endsWith(theirPort));
      await ours.until('their first initiation', () => theirs().length > 0);
      expect(theirs()[0]?.verdict).toMatchObject({ drop: { kind: 'cookie-demanded', mac2: 'absent' } });
      expect(await asked).toBe(true);
      expect(
        theirs()
          .slice(1)
          .map(({ verdict }) => verdict),
      ).toEqual([accepted('initiation'), accepted('data')]);
      expect(isZero(theirs()[1]?.bytes.subarray(INITIATION.mac2.at) ?? expect.fail())).toBe(false);
      await theySay(device, mark, ['initiation-sent', 'cookie-received', 'initiation-sent', 'response-received']);
    });
  });

  test('linux: its clock was set back by a day', async () => {
    const { device, plan, ours, mark } = await meet('linux', { begins: 'they' });
    const { guest } = remoteOf('linux') as KernelRemote;
    expect(await device.ask(5000)).toBe(true);
    await guest.setClock(Date.now() / 1000 - DAY_SECONDS);
    await device.configure(plan);
    await device.knock();
    await ours.dropped('timestamp-replayed');
    await guest.setClock(Date.now() / 1000);
    await theySay(device, mark, ['initiation-sent', 'response-received', 'initiation-sent']);
  });
});
