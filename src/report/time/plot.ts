/** Points over time in plain characters: offsets against the time of the capture. */
import { extent } from '../../base/extent.ts';

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** Drawn as `o` where it is remarkable. */
  readonly marked?: boolean;
}

export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  /** Of the y axis: so that noise does not look like a slope. */
  readonly leastRange: number;
  readonly xLabel: (value: number) => string;
  readonly yLabel: (value: number) => string;
}

/** Of offsets: what whitening alone makes is small then. */
export const LEAST_RANGE_MS = 60;

/** Of equal values some room on both sides, so that a line is drawn in the middle. */
export function rangeOf(values: readonly number[], least: number): readonly [number, number] {
  const [low, high] = extent(values);
  if (high - low >= least) return [low, high];
  const middle = (low + high) / 2;
  return [middle - least / 2, middle + least / 2];
}

/** Lines no longer than `width`, without anything behind their last character. */
export function plotLines(points: readonly PlotPoint[], options: PlotOptions): string[] {
  const { height, xLabel, yLabel } = options;
  if (points.length === 0) return [];
  const [left, right] = rangeOf(
    points.map(({ x }) => x),
    1,
  );
  const [low, high] = rangeOf(
    points.map(({ y }) => y),
    options.leastRange,
  );
  const labels = [yLabel(high), yLabel((low + high) / 2), yLabel(low)];
  const margin = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(10, options.width - margin - 3);
  const rows = Array.from({ length: height }, () => Array<string>(columns).fill(' '));
  for (const { x, y, marked } of points) {
    const column = Math.round(((x - left) / (right - left)) * (columns - 1));
    const row = Math.round(((high - y) / (high - low)) * (height - 1));
    const line = rows[row];
    if (line !== undefined && line[column] !== 'o') line[column] = marked === true ? 'o' : '*';
  }
  const labelOf = (row: number): string => {
    if (row === 0) return labels[0] ?? '';
    if (row === height - 1) return labels[2] ?? '';
    return row === (height - 1) >> 1 && height > 4 ? (labels[1] ?? '') : '';
  };
  const drawn = rows.map((line, row) => `${labelOf(row).padStart(margin)} | ${line.join('')}`.trimEnd());
  const [from, to] = [xLabel(left), xLabel(right)];
  const gap = Math.max(1, columns - from.length - to.length);
  return [
    ...drawn,
    `${' '.repeat(margin)} +${'-'.repeat(columns + 1)}`,
    `${' '.repeat(margin + 3)}${from}${' '.repeat(gap)}${to}`,
  ];
}
