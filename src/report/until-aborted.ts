/** Ends a stream from outside: what is waited for may never come. */

/**
 * The same items, until the signal says that it is enough. What is still waited for then is left behind: whoever made
 * the source closes it by the same signal.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let abort = (): void => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    abort = () => resolve('aborted');
  });
  signal.addEventListener('abort', abort);
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      const step = await Promise.race([next, aborted]);
      if (step === 'aborted' || signal.aborted) {
        // its failure, once it is closed, concerns nobody any more
        next.catch(() => {});
        return;
      }
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
