/** The blocks that a person sees while it runs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FindingEvent } from '../../src/report/event.ts';
import { LiveText } from '../../src/report/live-text.ts';
import { anyEvent, FAILED, HOSTILE } from './samples.ts';

const [finding] = FAILED.findings;
if (finding === undefined) throw new Error('the sample has no finding');
const schema = 'wgwhy/event/1';
const at = { input: 'a', frame: 3, time: '2026-11-21T02:00:48.189996000Z' };
const opened: FindingEvent = { schema, event: 'finding-opened', id: 'one', at, finding };
const sharper: FindingEvent = {
  schema,
  event: 'finding-opened',
  id: 'two',
  finding: { ...finding, rule: 'key-changed' },
};

test('one after the other', () => {
  const text = new LiveText();
  const events: FindingEvent[] = [
    opened,
    { ...opened, finding: { ...finding, certainty: 'suspected', severity: 'warning' } },
    sharper,
    { schema, event: 'finding-superseded', id: 'one', by: 'two', at, finding },
    { schema, event: 'finding-closed', id: 'two', at, finding: sharper.finding },
    opened,
  ];
  expect(events.map((event) => text.render(event)).join('\n')).toMatchInlineSnapshot(`
    "2026-11-21 02:00:48 UTC  opened: error wrong-responder-key (proven)
      the initiation was made for a key that is not here, not for the key of server.conf (AbCdEf…CdE=)
        - put the public key of the responder into the [Peer] section of the initiator

    2026-11-21 02:00:48 UTC  changed: warning wrong-responder-key (suspected; it was error, proven)
      the initiation was made for a key that is not here, not for the key of server.conf (AbCdEf…CdE=)
        - put the public key of the responder into the [Peer] section of the initiator

    opened: error key-changed (proven)
      the initiation was made for a key that is not here, not for the key of server.conf (AbCdEf…CdE=)
        - put the public key of the responder into the [Peer] section of the initiator

    2026-11-21 02:00:48 UTC  superseded: error wrong-responder-key, by key-changed

    2026-11-21 02:00:48 UTC  closed: error key-changed
      it was: the initiation was made for a key that is not here, not for the key of server.conf
      (AbCdEf…CdE=)

    2026-11-21 02:00:48 UTC  opened: error wrong-responder-key (proven)
      the initiation was made for a key that is not here, not for the key of server.conf (AbCdEf…CdE=)
        - put the public key of the responder into the [Peer] section of the initiator
    "
  `);
});

test('the commands of the system that was asked for, or what there is', () => {
  const render = (system: 'linux' | 'routeros', fix: typeof finding.fix): string =>
    new LiveText({ system }).render({ ...opened, finding: { ...finding, fix } });
  const both = { linux: ['on the host: wg show'], routeros: ['/interface wireguard print'] };
  expect(render('routeros', both)).toContain('      /interface wireguard print\n');
  expect(render('linux', both)).toContain('    - on the host: wg show\n');
  expect(render('linux', { routeros: ['/interface wireguard print'] })).toContain('/interface wireguard print');
  expect(render('linux', {}).split('\n')).toHaveLength(3);
});

test('colour where it is asked for', () => {
  expect(new LiveText().render(opened)).not.toContain('\u001b');
  expect(new LiveText({ colour: true }).render(opened)).toContain('\u001b[1;31m');
});

test('hostile text does no harm, and only findings are told', () => {
  const [bad] = HOSTILE.findings;
  if (bad === undefined) throw new Error('the sample has no finding');
  const harmful = /[^\n\P{Cc}]/u;
  expect(new LiveText().render({ ...opened, finding: bad })).not.toMatch(harmful);
  fc.assert(
    fc.property(anyEvent, fc.integer({ min: 0, max: 200 }), (event, width) => {
      const text = new LiveText({ width }).render(event);
      expect(text).not.toMatch(harmful);
      expect(text === '').toBe(!('finding' in event));
    }),
  );
});
