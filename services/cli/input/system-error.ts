/** What the errors of the operating system mean for the person who gave the path. */
const MEANINGS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `there is no ${path}: correct the name`,
  EISDIR: (path) => `${path} is a folder, and a file is needed`,
  ENOTDIR: (path) => `a part of ${path} is a file, and a folder is needed there: correct the path`,
  EEXIST: (path) => `${path} exists and is no folder: give the path of a folder`,
  EACCES: (path) => `you may not use ${path}: change its owner or its rights`,
  EPERM: (path) => `you may not use ${path}: change its owner or its rights`,
  EROFS: (path) => `${path} is on a disk that is read-only`,
  ENOSPC: (path) => `the disk of ${path} is full: make room, then run the command again`,
  EDQUOT: (path) => `your share of the disk of ${path} is used up: make room, then run the command again`,
  ELOOP: (path) => `${path} is a link that leads back to itself`,
  ENAMETOOLONG: () => 'the path is too long for this system',
  EMFILE: () => TOO_FEW_FILES,
  ENFILE: () => 'this machine has no more files to open: end other programs, or raise fs.file-max',
  EIO: (path) => `the disk of ${path} does not answer (EIO): look at the disk`,
  EADDRINUSE: () => 'the port is taken: give another one with --port or PORT',
};

const TOO_FEW_FILES =
  'this process may open too few files: allow at least 1,024 (ulimit -n 1024, or LimitNOFILE of the service)';

/** One sentence for an error of the operating system: what is wrong, where, and what to do. `path` is used where the error names none. */
export function sentenceOfSystemError(error: unknown, path = 'the file'): string {
  const { code, path: named } = error as NodeJS.ErrnoException;
  const where = named ?? path;
  const meaning = code === undefined ? undefined : MEANINGS[code];
  return meaning === undefined ? `${where} cannot be used (${code ?? 'no reason is known'})` : meaning(where);
}

/** Whether it is an error of the operating system that MEANINGS explains. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in MEANINGS;
}
