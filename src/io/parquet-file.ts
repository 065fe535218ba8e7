/** Events as a Parquet file, by way of hyparquet-writer, an optional package: rows are gathered and written in groups. */
import type { SchemaElement } from 'hyparquet-writer';
import { copy } from '../base/bytes.ts';
import { COLUMNS, type ColumnType, type RowEvent } from '../report/event-columns.ts';
import { FileError } from './files.ts';
import { ResultFile } from './result-file.ts';

/** Many enough that a group is worth its headers, few enough that memory stays flat. */
const GROUP_ROWS = 50_000;

const TYPES: Readonly<Record<ColumnType, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  whole: { type: 'INT64' },
  small: { type: 'INT32' },
  time: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
  'yes-no': { type: 'BOOLEAN' },
};

const SCHEMA: SchemaElement[] = [
  { name: 'event', num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, type }): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...TYPES[type] })),
];

type Cell = string | bigint | number | boolean | null;

export interface ParquetFile {
  add(event: RowEvent): void;
  /** Without it the file cannot be read. */
  close(): void;
}

/** Throws a FileError where the package is not there; nothing is written before the first group is full. */
export async function parquetFile(path: string, force: boolean, createdBy: string): Promise<ParquetFile> {
  const { ByteWriter, ParquetWriter } = await load(path);
  const file = new ResultFile(path, force);
  const bytes = new ByteWriter();
  const flush = (): void => {
    file.write(copy(new Uint8Array(bytes.buffer, 0, bytes.index)));
    bytes.index = 0;
  };
  const writer = new ParquetWriter({ writer: Object.assign(bytes, { flush }), schema: SCHEMA, createdBy });
  let cells: Cell[][] = COLUMNS.map(() => []);
  let rows = 0;
  const write = (): void => {
    if (rows === 0) return;
    const columnData = COLUMNS.map(({ name }, i) => ({ name, data: cells[i] ?? [] }));
    void writer.write({ columnData, rowGroupSize: GROUP_ROWS });
    cells = COLUMNS.map(() => []);
    rows = 0;
  };
  return {
    add(event) {
      for (const [i, column] of COLUMNS.entries()) cells[i]?.push(column.of(event) ?? null);
      if (++rows === GROUP_ROWS) write();
    },
    close() {
      write();
      void writer.finish();
      flush();
      file.close();
    },
  };
}

async function load(path: string): Promise<typeof import('hyparquet-writer')> {
  try {
    return await import('hyparquet-writer');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!missing) throw error;
    throw new FileError(
      path,
      'this needs the package hyparquet-writer, which is not installed',
      'npm install hyparquet-writer@0.17 beside wgwhy (it is optional: only --parquet needs it)',
    );
  }
}
