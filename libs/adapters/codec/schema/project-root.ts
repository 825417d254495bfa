import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project's package.json: schemas, rates and pages are found below it, from source and from `dist` alike. */
export function projectRoot(): string {
  return ROOT;
}

const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json')) && existsSync(join(from, 'schemas'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('no project root: package.json and schemas/ are not above this file');
  return findRoot(parent);
}
