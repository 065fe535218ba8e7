/** The poller on descriptors of its own kind, eventfds: readiness, turns, changes while it waits, and its end. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Libc } from '../../../src/io/linux/libc.ts';
import { Poller } from '../../../src/io/linux/poller.ts';
import { Heard, libc, noLibc } from './loopback.ts';

const EFD_NONBLOCK = 0o4000;

describe.skipIf(noLibc !== undefined)(`the poller${noLibc === undefined ? '' : ` (${noLibc})`}`, () => {
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0).reverse()) close();
  });

  function poller(from: Libc = libc()): Poller {
    const made = new Poller(from);
    open.push(() => made.close());
    return made;
  }

  /** Ready as long as its number is not taken. */
  function event() {
    const fd = libc().eventfd(0, EFD_NONBLOCK);
    expect(fd).toBeGreaterThanOrEqual(0);
    open.push(() => libc().close(fd));
    const room = libc().allocate(8);
    open.push(() => room.free());
    return {
      fd,
      raise: (): void => void libc().write(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8),
      lower: (): void => void libc().read(fd, room.address, 8),
    };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Long enough for it to wait in its thread, since nothing comes. */
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await turn();
  };

  test('calls for what was there before, and for what comes while it waits', async () => {
    const one = event();
    const calls = new Heard<string>();
    one.raise();
    poller().add(one.fd, () => {
      one.lower();
      calls.take('one');
    });
    await calls.next();
    await turns();
    one.raise();
    await calls.next();
    await turns();
    expect(calls.all).toEqual(['one', 'one']);
  });

  test('calls again for what was left, and others get their turn', async () => {
    const [one, two] = [event(), event()];
    const calls = new Heard<string>();
    const all = poller();
    let left = 3;
    all.add(one.fd, () => {
      if (--left === 0) one.lower();
      calls.take('one');
    });
    all.add(two.fd, () => {
      two.lower();
      calls.take('two');
    });
    one.raise();
    two.raise();
    for (let i = 0; i < 4; i++) await calls.next();
    expect(calls.all.filter((who) => who === 'one')).toHaveLength(3);
    expect(calls.all.slice(0, 2).sort()).toEqual(['one', 'two']);
  });

  test('takes on another while it waits, and lets one go', async () => {
    const [one, two] = [event(), event()];
    const calls = new Heard<string>();
    const all = poller();
    all.add(one.fd, () => calls.take('one'));
    await turns();
    all.add(two.fd, () => {
      two.lower();
      calls.take('two');
    });
    two.raise();
    expect(await calls.next()).toBe('two');
    all.remove(one.fd);
    one.raise();
    two.raise();
    expect(await calls.next()).toBe('two');
    await turns();
    expect(calls.all).toEqual(['two', 'two']);
  });

  test('one that lets another go in the same turn is the last that is called', async () => {
    const [one, two] = [event(), event()];
    const calls: string[] = [];
    const all = poller();
    const other = (mine: string, theirs: number): void => {
      calls.push(mine);
      all.remove(theirs);
    };
    one.raise();
    two.raise();
    all.add(one.fd, () => {
      one.lower();
      other('one', two.fd);
    });
    all.add(two.fd, () => {
      two.lower();
      other('two', one.fd);
    });
    await turns();
    expect(calls).toHaveLength(1);
  });

  test('a number that is used again is not the old one', async () => {
    const one = event();
    const calls = new Heard<string>();
    const all = poller();
    one.raise();
    all.add(one.fd, () => expect.fail('it was let go'));
    all.remove(one.fd);
    all.add(one.fd, () => {
      one.lower();
      calls.take('again');
    });
    expect(await calls.next()).toBe('again');
  });

  test('ends from within a call, while it waits, and before it began; nothing is called after that', async () => {
    const one = event();
    const freed: string[] = [];
    /** Counts what is given back. */
    const counting = (): Libc => {
      const real = libc();
      return {
        ...real,
        allocate: (length) => {
          const memory = real.allocate(length);
          return {
            ...memory,
            free: () => {
              freed.push('memory');
              memory.free();
            },
          };
        },
        close: (fd) => {
          freed.push('wake');
          return real.close(fd);
        },
      };
    };
    const given = ['memory', 'memory', 'wake'];

    const within = new Poller(counting());
    const called = new Heard<void>();
    one.raise();
    within.add(one.fd, () => {
      within.close();
      called.take();
    });
    await called.next();
    await turns();
    expect(called.all).toHaveLength(1);
    expect(freed.splice(0).sort()).toEqual(given);

    one.lower();
    const waiting = new Poller(counting());
    waiting.add(one.fd, () => expect.fail('it was closed'));
    await turns();
    waiting.close();
    waiting.close();
    one.raise();
    // The other thread has to come back first.
    while (freed.length < given.length) await turn();
    expect(freed.splice(0).sort()).toEqual(given);

    const fresh = new Poller(counting());
    fresh.add(one.fd, () => expect.fail('it was closed'));
    fresh.close();
    await turns();
    expect(freed.sort()).toEqual(given);
  });

  test('has room for sixteen', () => {
    const all = poller();
    const { fd } = event();
    for (let i = 0; i < 16; i++) all.add(fd, () => {});
    expect(() => all.add(fd, () => {})).toThrow(RangeError);
  });

  test('no event descriptor is to be had', () => {
    expect(() => new Poller({ ...libc(), eventfd: () => -1, code: () => 'EMFILE' })).toThrow('EMFILE');
  });
});
