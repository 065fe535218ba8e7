/** Part of the build: writes the report's schema beside its module, for the export `wgwhy/report.schema.json`. */
import { writeFileSync } from 'node:fs';
import { reportSchema } from '../report/schema.ts';

writeFileSync(
  new URL('../report/report.schema.json', import.meta.url),
  `${JSON.stringify(reportSchema, undefined, 2)}\n`,
);
