import { evolutionFaults } from './schema-evolution.ts';
import { readSchemaFiles } from './schema-files.ts';

/** `npm run schemas:check [FOLDER]`: exit code 1, and a line for each fault, where a schema does not follow schemas/README.md. */
const files = readSchemaFiles(process.argv[2]);
const faults = evolutionFaults(files);
for (const fault of faults) process.stderr.write(`schemas/${fault.schema}.avsc: ${fault.detail}\n`);
const current = files.filter((file) => file.release === 0).length;
process.stdout.write(`${current} schemas, ${files.length - current} releases, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
