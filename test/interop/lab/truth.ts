/** What can honestly be said of a capture, per vantage: the format of the lab's truth.json. */

export interface View {
  /** What must stand first: the first name is right, later ones are honest weaker answers, null is "nothing wrong". */
  readonly first: readonly (string | null)[];
  /** The greatest certainty that may be claimed. */
  readonly certainty: 'proven' | 'deduced' | 'suspected' | null;
  /** Other errors and warnings that may stand behind. */
  readonly allowed: readonly string[];
  /** Information that must be there. */
  readonly info?: readonly string[];
}

export interface Truth {
  /** All captures and both configurations. */
  readonly both: View;
  readonly client?: View;
  readonly server?: View;
  /** The router's capture. */
  readonly between?: View;
}

export const WELL: View = { first: [null], certainty: null, allowed: [] };

export function wellWith(...info: readonly string[]): View {
  return { ...WELL, info };
}

interface Extra {
  readonly allowed?: readonly string[];
  readonly info?: readonly string[];
}

function view(certainty: View['certainty'], first: View['first'], { allowed = [], info }: Extra = {}): View {
  return { first, certainty, allowed, ...(info === undefined ? {} : { info }) };
}

export const proven = (first: View['first'], extra?: Extra): View => view('proven', first, extra);
export const deduced = (first: View['first'], extra?: Extra): View => view('deduced', first, extra);
export const suspected = (first: View['first'], extra?: Extra): View => view('suspected', first, extra);

/** The same at every vantage. */
export function everywhere(same: View): Truth {
  return { both: same, client: same, server: same };
}
