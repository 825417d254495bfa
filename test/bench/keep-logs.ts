import { copyFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TAIL_LINES = 15;
const TAIL_CHARACTERS_MAX = 3_000;

/**
 * Copies the logs of a bench that failed to where they outlive it. Gives the last lines of each, and the folder: what a reader of its error
 * needs first. A file that is not there was never written.
 *
 * @param files by the name of the process that wrote it.
 */
export async function keepLogs(files: ReadonlyMap<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-bench-logs-'));
  const ends: string[] = [];
  for (const [name, file] of files) {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) continue;
    await copyFile(file, join(folder, `${name}.log`));
    const tail = text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n').slice(-TAIL_CHARACTERS_MAX);
    ends.push(`--- ${name}, the end of its log:\n${tail === '' ? '(it wrote nothing)' : tail}`);
  }
  return [...ends, `all of it is kept in ${folder}`].join('\n');
}
