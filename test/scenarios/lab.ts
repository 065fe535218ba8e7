/** The captures of the lab and what their truth files say: each folder, each vantage, and the diagnosis of it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { At } from '../../src/analyze/vantage.ts';
import { type DiagnoseOptions, diagnose, type Source } from '../../src/report/diagnose.ts';
import type { Report } from '../../src/report/model.ts';
import type { Truth, View } from '../interop/lab/truth.ts';
import { dictionary, fields, list, optional, type Reader, readVectors, text } from '../vectors.ts';

const VECTORS = fileURLToPath(new URL('../../vectors/', import.meta.url));

const VANTAGES = ['both', 'client', 'server', 'between'] as const;
type LabVantage = (typeof VANTAGES)[number];

export interface LabCase {
  /** `lab/healthy both` */
  readonly id: string;
  readonly folder: string;
  readonly vantage: LabVantage;
  readonly view: View;
  /** Paths from `vectors/`, captures first. */
  readonly files: readonly string[];
  readonly at: At | undefined;
}

const nullable =
  <T>(reader: Reader<T>): Reader<T | null> =>
  (value, path) =>
    value === null ? null : reader(value, path);

const certainty: Reader<View['certainty']> = (value, path) => {
  if (value === null || value === 'proven' || value === 'deduced' || value === 'suspected') return value;
  throw new TypeError(`${path}: not a certainty`);
};

const view = fields({
  first: list(nullable(text)),
  certainty,
  allowed: optional(list(text)),
  info: optional(list(text)),
});

const truth = fields({
  id: text,
  story: text,
  network: optional(dictionary(text)),
  both: view,
  client: optional(view),
  server: optional(view),
  between: optional(view),
});

const filesOf = (folder: string): string[] =>
  readdirSync(VECTORS + folder)
    .sort()
    .map((name) => `${folder}/${name}`);

const isCapture = (file: string): boolean => /\.pcap(\.gz)?$/.test(file);

export const LAB_FOLDERS: readonly string[] = ['lab', 'lab-more']
  .flatMap((set) => filesOf(set))
  .filter((folder) => existsSync(`${VECTORS}${folder}/truth.json`));

/** Every capture of the set, by its path from `vectors/`. */
export const LAB_CAPTURES: readonly string[] = LAB_FOLDERS.flatMap(filesOf).filter(isCapture);

const SIDES = { client: 'client', server: 'server', between: 'router' } as const;
const AT = { both: undefined, client: 'initiator', server: 'responder', between: 'between' } as const;
/** Its client.pcap was taken on the NAT router between the two. */
const ROUTERS_OWN = 'lab/any-interface-on-nat-router';

function caseOf(
  folder: string,
  vantage: LabVantage,
  given: Omit<View, 'allowed'> & { allowed?: View['allowed'] },
): LabCase {
  const files = filesOf(folder);
  const confs = files.filter((file) => file.endsWith('.conf'));
  const only = (side: string): string[] => [
    ...files.filter((file) => isCapture(file) && file.startsWith(`${folder}/${side}.`)),
    ...confs.filter((file) => side === 'router' || file.startsWith(`${folder}/${side}.`)),
  ];
  const chosen = vantage === 'both' ? [...files.filter(isCapture), ...confs] : only(SIDES[vantage]);
  const at = folder === ROUTERS_OWN && vantage === 'client' ? 'between' : AT[vantage];
  const view = { ...given, allowed: given.allowed ?? [] };
  return { id: `${folder} ${vantage}`, folder, vantage, view, files: chosen, at };
}

export const LAB_CASES: readonly LabCase[] = LAB_FOLDERS.flatMap((folder) => {
  const said = readVectors(new URL(`file://${VECTORS}${folder}/truth.json`), truth as Reader<Truth>);
  return VANTAGES.flatMap((vantage) => {
    const given = said[vantage];
    return given === undefined ? [] : [caseOf(folder, vantage, given)];
  });
});

const kept = new Map<string, Uint8Array>();

/** A file below `vectors/`, read once. */
export function labFile(path: string): Uint8Array {
  let bytes = kept.get(path);
  if (bytes === undefined) {
    bytes = new Uint8Array(readFileSync(VECTORS + path));
    kept.set(path, bytes);
  }
  return bytes;
}

export function bytesSource(name: string, bytes: Uint8Array, chunk = 65_536): Source {
  return {
    name,
    async *open() {
      for (let at = 0; at < bytes.length; at += chunk) yield bytes.slice(at, at + chunk);
    },
  };
}

export async function diagnoseLab({ files, at }: LabCase, options: DiagnoseOptions = {}): Promise<Report> {
  const sources = files.map((file) => bytesSource(file, labFile(file)));
  return (await diagnose(sources, { ...(at === undefined ? {} : { at }), ...options })).report;
}

/** What was found in a line each: severity, certainty, rule; hidden ones with the rule that hides them. */
export function findingLines({ findings, hidden }: Report): string[] {
  return [
    ...findings.map(({ severity, certainty, rule }) => `${severity} ${certainty} ${rule}`),
    ...hidden.map(({ rule, by }) => `hidden ${rule} (${by})`),
  ];
}

const FINDINGS = new URL('../../vectors/findings.json', import.meta.url);
const FINDINGS_SOURCE = 'what this project finds in its own captures: severity, certainty, rule; hidden ones last';

/** vectors/findings.json: by the id of a case, what is found there. */
export function declaredFindings(): Readonly<Record<string, readonly string[]>> {
  return readVectors(FINDINGS, fields({ source: text, cases: dictionary(list(text)) })).cases;
}

export function writeFindings(cases: Readonly<Record<string, readonly string[]>>): void {
  writeFileSync(FINDINGS, `${JSON.stringify({ source: FINDINGS_SOURCE, cases }, undefined, 1)}\n`);
}
