import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TallyError } from '../../libs/core/errors/tally-error.ts';

/**
 * The year in the origin of the public log, `<ledger name>/<year>`: the one in which the ledger began, kept with its keys, for the log
 * goes on under one origin whatever the clock says. Throws KEY_FILE_INVALID.
 */
export function logYearOf(dataDir: string, thisYear: number): number {
  const file = join(dataDir, 'keys', 'ledger-log-year');
  if (!existsSync(file)) {
    mkdirSync(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(file, `${thisYear}\n`, { flag: 'wx', mode: 0o600, flush: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  const text = readFileSync(file, 'utf8').trim();
  if (!/^\d{4}$/.test(text)) throw new TallyError('KEY_FILE_INVALID', `${file} does not hold a year`, { file });
  return Number(text);
}
