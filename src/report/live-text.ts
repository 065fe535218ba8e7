/** Findings as they come and go, for people: one short block each. */

import type { WgwhyEvent } from './event.ts';
import type { ReportFinding } from './model.ts';
import { fixLines, TONES } from './text-finding.ts';
import { lineWidth, type TextOptions } from './text-page.ts';
import { absolute } from './text-time.ts';
import { painter, sanitiseAll, wrap } from './text-wrap.ts';

export interface LiveTextOptions extends Omit<TextOptions, 'verbose'> {
  /** Whose commands are shown; what there is, where this system has none. */
  readonly system?: keyof ReportFinding['fix'];
}

/** Blocks refer to each other: what was told before under the same id is a change now. */
export class LiveText {
  readonly #options: LiveTextOptions;
  readonly #open = new Map<string, ReportFinding>();

  constructor(options: LiveTextOptions = {}) {
    this.#options = options;
  }

  /** With a line feed at the end; empty for whatever is not about a finding. No control character but our own colours gets out. */
  render(event: WgwhyEvent): string {
    if (!('finding' in event)) return '';
    const { finding, id, at } = sanitiseAll(event);
    const before = this.#open.get(id);
    const { rule, severity, certainty, message } = finding;
    const { colour = false, width } = this.#options;
    const columns = lineWidth(width);
    const when = at === undefined || at.time === '' ? '' : `${secondsOnly(absolute(at.time))}  `;
    const head = (what: string, more: string): string => {
      const [first = '', ...rest] = wrap(`${what}: ${severity} ${rule}${more}`, columns, when, '  ');
      const painted = first.replace(` ${severity} `, (word) => painter(colour)(TONES[severity], word));
      return [painted, ...rest].join('\n');
    };
    if (event.event === 'finding-opened') {
      this.#open.set(id, finding);
      const was = before === undefined ? '' : `; it was ${before.severity}, ${before.certainty}`;
      const lines = [
        head(before === undefined ? 'opened' : 'changed', ` (${certainty}${was})`),
        ...wrap(message, columns, '  '),
        ...this.#advice(finding, columns),
      ];
      return `${lines.join('\n')}\n`;
    }
    const sharper = event.event === 'finding-superseded' ? this.#open.get(event.by)?.rule : undefined;
    this.#open.delete(id);
    const told = wrap(`it was: ${message}`, columns, '  ').join('\n');
    return event.event === 'finding-superseded'
      ? `${head('superseded', sharper === undefined ? '' : `, by ${sharper}`)}\n`
      : `${head('closed', '')}\n${told}\n`;
  }

  #advice({ fix }: ReportFinding, columns: number): string[] {
    const { system = 'linux' } = this.#options;
    const [step] = fix[system] ?? fix.linux ?? fix.routeros ?? [];
    return step === undefined ? [] : fixLines(columns, step);
  }
}

const secondsOnly = (time: string): string => time.replace(/\.\d+ UTC$/, ' UTC');
