/** Reads back what runs wrote as NDJSON: of all the events only timelines, and those without parsing the others. */
import { type Bytes, concat } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import type { Source } from './inputs.ts';
import { type Part, Parts, parseTimelineEvent, writerOf } from './timeline-events.ts';

/** With what every line begins. */
const MARK = '{"schema":"wgwhy/event/';
const TIMELINE = `${MARK}1","event":"timeline"`;
/** Lines of ours are shorter: what has none that ends is not ours. */
const LONGEST = 1 << 26;

/** What a source begins with, and the source as if nothing had been read of it. */
export async function peek(source: Source): Promise<{ readonly isEvents: boolean; readonly source: Source }> {
  const chunks = source.open()[Symbol.asyncIterator]();
  let head: Bytes = new Uint8Array();
  let ended = false;
  while (!ended && head.length < MARK.length) {
    const step = await chunks.next();
    if (step.done === true) ended = true;
    else head = concat(head, step.value);
  }
  const isEvents = new TextDecoder().decode(head.subarray(0, MARK.length)) === MARK;
  const again = async function* (): AsyncGenerator<Bytes> {
    try {
      yield head;
      for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) yield step.value;
    } finally {
      await chunks.return?.();
    }
  };
  return { isEvents, source: { name: source.name, open: again } };
}

export async function readTimelines(
  source: Source,
  tool: string,
  report: (problem: Problem) => void,
): Promise<readonly Part[]> {
  const parts = new Parts(source.name);
  let number = 0;
  let gap = false;
  const take = (line: string): void => {
    number++;
    if (!line.startsWith(TIMELINE)) return;
    const event = parseTimelineEvent(line);
    if (event !== undefined && parts.add(event)) return;
    const writer = writerOf(line) ?? tool;
    if (!gap && writer !== tool)
      report({ message: `it is of ${writer}, and this is ${tool}: it cannot be read`, line: number });
    else if (!gap) report({ message: 'a timeline event is damaged, or one is missing before it', line: number });
    gap = true;
  };
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source.open()) {
    const text = rest + decoder.decode(chunk, { stream: true });
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      take(text.slice(at, end));
      at = end + 1;
    }
    rest = text.slice(at);
    if (rest.length > LONGEST) break;
  }
  if (rest !== '') report({ message: 'its last line has no end: it was cut', line: number + 1 });
  if (number > 0 && parts.all.length === 0) {
    report({ message: 'it holds no timeline', hint: 'write it with wgwhy diagnose --ndjson --shard 1/1 …' });
  }
  return parts.all;
}
