import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Lockfile {
  packages: Record<string, LockedPackage>;
  readonly [field: string]: unknown;
}

const SYSTEMS = ['android', 'darwin', 'win32', 'linux', 'freebsd', 'netbsd', 'openbsd', 'sunos', 'aix', 'openharmony'];
const PROCESSORS = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/**
 * Packages for other systems that the lockfile should name and does not. npm leaves them out where a registry does not offer them, and `npm ci`
 * then refuses the whole lockfile, on every machine.
 */
export function missingFromLockfile(lock: Lockfile): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [path, locked] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(locked.optionalDependencies ?? {})) {
      if (isLocked(lock, path, name)) continue;
      missing.set(`node_modules/${name}`, {
        version: range.replace(/^[~^]/, ''),
        ...platformOf(name),
        ...(locked.dev === true ? { dev: true } : {}),
        optional: true,
      });
    }
  }
  return missing;
}

/** Found as Node finds it: in the folder of the package that names it, or in any above. */
function isLocked(lock: Lockfile, path: string, name: string): boolean {
  const folders = path.split('/node_modules/');
  for (let count = folders.length; count >= 0; count--) {
    const folder = folders.slice(0, count).join('/node_modules/');
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
  }
  return false;
}

/** The system and processor that such a package's name ends with: `binding-linux-arm-gnueabihf`. */
function platformOf(name: string): Record<string, readonly string[]> {
  const words = (name.split('/').at(-1) ?? '').split(/[-.]/);
  const systems = words.filter((word) => SYSTEMS.includes(word)).slice(0, 1);
  const processors = words.filter((word) => PROCESSORS.includes(word)).slice(0, 1);
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : [];
  return {
    ...(processors.length > 0 ? { cpu: processors } : {}),
    ...(systems.length > 0 ? { os: systems } : {}),
    ...(libc.length > 0 ? { libc } : {}),
  };
}

/** `npm run lockfile`, after every change of dependencies. */
export function completeLockfile(file: string): number {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lockfile;
  const missing = missingFromLockfile(lock);
  const { '': root = {}, ...others } = lock.packages;
  const sorted = Object.entries({ ...others, ...Object.fromEntries(missing) }).sort(([a], [b]) => (a < b ? -1 : 1));
  lock.packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  return missing.size;
}
