import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Every file of the repository that is there, by its path from the root: tracked by git, or not ignored by it. */
export function trackedFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  return listed.split('\n').filter((file) => file !== '' && existsSync(file));
}
