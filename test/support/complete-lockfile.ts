import { completeLockfile } from './lockfile.ts';

console.log(`${completeLockfile('package-lock.json')} packages for other systems added to package-lock.json`);
