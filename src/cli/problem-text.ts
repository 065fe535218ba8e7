/** What is wrong with an input, in a line, the same way wherever the command says it. */

interface Placed {
  readonly message: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly hint?: string | undefined;
}

/** `server.conf:7:13: …; …`, as editors and terminals make a link of it. */
export function problemText(input: string, { line, column, message, hint }: Placed): string {
  const place = [input, line, column].filter((part) => part !== undefined).join(':');
  return `${place}: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}
