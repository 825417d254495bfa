import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyMissing, ledgerNameOf, loadGatewayKeys } from '../../../libs/adapters/access/key-files.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { OWN_CLIENT_ROLES, type OwnClient, ownClients } from './own-clients.ts';

const SERVICES = ['gateway', 'tax', 'ledger', 'payer-node', 'reconciliation', 'dashboard'] as const;

/**
 * `tally prepare FOLDER`: for a deployment in which each service has a data folder (volume) of its own below FOLDER. All get the name of one
 * ledger and the clients file, which holds no secret; the payer's node and the dashboard the client key that each calls with; FOLDER/operator
 * every client key. Keys that a service makes for itself are not made here, but the gateway's, whose public half the payer needs. What is there
 * already stays. Throws STORE_OF_ANOTHER_LEDGER, and KEY_MISSING_FOR_HISTORY where a key is gone that another folder of the deployment was given.
 */
export async function prepare(folder: string, options: { readonly json?: boolean }): Promise<void> {
  const prepared = prepareDeployment(folder);
  if (options.json === true) console.log(JSON.stringify(prepared));
  else console.log(`prepared ${prepared.ledgerName}: client keys are in ${join(folder, 'operator', 'keys')}`);
}

export function prepareDeployment(folder: string): { readonly ledgerName: string } {
  assertNoneLost(folder);
  const ledgerName = ledgerNameOf(join(folder, 'operator'));
  const { keys, clients } = ownClients(join(folder, 'operator'));
  for (const service of SERVICES) {
    const dataDir = join(folder, service);
    mkdirSync(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
    put(dataDir, 'ledger-name', ledgerName);
    writeFileSync(join(dataDir, 'clients.json'), `${JSON.stringify({ clients: clients.clients })}\n`, { mode: 0o600 });
  }
  put(join(folder, 'payer-node'), 'client-payer', keys.payer);
  put(join(folder, 'dashboard'), 'client-analyst', keys.analyst);
  const { signer } = loadGatewayKeys(join(folder, 'gateway'));
  put(join(folder, 'payer-node'), 'gateway-verifier-key', printVerifierKey(signer.key));
  return { ledgerName };
}

/** Before anything is made: what was handed out tells what there must be. */
function assertNoneLost(folder: string): void {
  const given = [
    ['operator', 'ledger-name', join('gateway', 'keys', 'ledger-name')],
    ...(Object.keys(OWN_CLIENT_ROLES) as OwnClient[]).map((id) => [
      'operator',
      `client-${id}`,
      join('gateway', 'clients.json'),
    ]),
    ['gateway', 'gateway-ed25519', join('payer-node', 'keys', 'gateway-verifier-key')],
  ] as const;
  for (const [service = '', key = '', made = ''] of given) {
    const dataDir = join(folder, service);
    if (existsSync(join(folder, made)) && !existsSync(join(dataDir, 'keys', key))) {
      throw keyMissing(dataDir, key, join(folder, made));
    }
  }
}

/** Writes a file of keys, and never over another content: a folder of another deployment is refused. */
function put(dataDir: string, name: string, content: string): void {
  const file = join(dataDir, 'keys', name);
  if (existsSync(file)) {
    if (readFileSync(file, 'utf8').trim() === content) return;
    throw new TallyError('STORE_OF_ANOTHER_LEDGER', `${file} is of another deployment`, { file });
  }
  writeFileSync(file, `${content}\n`, { mode: 0o600, flag: 'wx' });
}
