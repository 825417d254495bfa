import { join } from 'node:path';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { breakFile } from './broken-disk.ts';
import { STORES } from './stores-on-disk.ts';

// `node break-store.ts STORE FOLDER writes|syncs TIMES`: breaks the disk under a store of this process, writes on, prints what came of it
// as JSON and ends as a killed process does. LMDB's native code is in no state to go on or to be closed after such a failure.
const [name = '', folder = '', what = 'writes', times = '1'] = process.argv.slice(2);
const said: string[] = [];
const store = await STORES[name]?.(folder, said);
if (store === undefined) throw new Error(`no store ${name}`);
await store.write('1', 1_000);
breakFile(join(folder, ...(name === "tax's state" ? ['tax'] : []), 'data.mdb'), what === 'syncs' ? 'syncs' : 'writes');
const faults: unknown[] = [];
for (let number = 0; number < Number(times); number += 1) {
  const fault = await store.write(String(number + 2), 1_000).then(
    () => null,
    (error: unknown) => error,
  );
  if (fault instanceof TallyError) {
    const { code, message, retriable, facts } = fault;
    faults.push({ code, message, retriable, facts });
  } else faults.push(String(fault));
}
const isStillRead = await store.has('1');
process.stdout.write(JSON.stringify({ faults, isStillRead, said }), () => process.kill(process.pid, 'SIGKILL'));
