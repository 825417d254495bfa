import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Mounts a tmpfs of this size in MiB on a new folder (capability 'tmpfs'); gives the way to unmount it. */
export function mountSmallDisk(folder: string, sizeMib: number): () => void {
  mkdirSync(folder, { recursive: true });
  shell(`mount -t tmpfs -o size=${sizeMib}m tmpfs "$0"`, folder);
  return () => shell('umount "$0"', folder);
}

function shell(command: string, folder: string): void {
  execFileSync('sh', ['-c', command, folder], { stdio: 'inherit' });
}
