import { readFileSync } from 'node:fs';
import { TallyError } from '../../core/errors/tally-error.ts';

/** A service keeps some 50 files open by itself, and one for each connection. */
const OPEN_FILES_MIN = 64;
/** With fewer than this a busy hour may run out of them. */
const OPEN_FILES_ADVISED = 1_024;

/**
 * Looks at how many files this process may open, as the system says it (Linux; elsewhere nothing is known). Gives a sentence to be said where
 * they may run short, else null. Throws OPEN_FILES_TOO_FEW where it could not even begin.
 */
export function checkOpenFiles(limits: string | null = ownLimits()): string | null {
  const most = limits === null ? null : (/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? null);
  if (most === null || Number(most) >= OPEN_FILES_ADVISED) return null;
  const what = `this process may open ${most} files, and ${OPEN_FILES_ADVISED} are advised`;
  const message = `${what}: allow more (ulimit -n ${OPEN_FILES_ADVISED}, or LimitNOFILE of its unit), then start it again`;
  if (Number(most) < OPEN_FILES_MIN) throw new TallyError('OPEN_FILES_TOO_FEW', message, { openFiles: Number(most) });
  return message;
}

function ownLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null;
  }
}
