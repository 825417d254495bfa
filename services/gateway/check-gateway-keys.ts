import { type GatewayKeyName, type GatewayKeys, keyNotOfData } from '../../libs/adapters/access/key-files.ts';
import { nodeEd25519Verify } from '../../libs/adapters/crypto/node-crypto.ts';
import type { LogRegister } from '../../libs/adapters/event-log/log-register.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import { hasCode } from '../../libs/core/errors/tally-error.ts';
import { openNote } from '../../libs/core/ledger/note/signed-note.ts';
import { tokenOfNino } from './intake/person-tokens.ts';
import type { ReservationStore } from './store/reservation-store.ts';

const NAMES = ['gateway-ed25519', 'person-token-key', 'vault-key'] as const satisfies readonly GatewayKeyName[];
/** What the log's events and their receipts were made with: so that an empty folder on an old log is found out too. */
const IN_LOG = ['gateway-ed25519', 'person-token-key'] as const satisfies readonly GatewayKeyName[];

/**
 * Holds the gateway's keys against its own store: the fingerprints beside the receipts, tokens and vault; in a store from before there were any,
 * the newest receipt's signature and the vault's first entry, which tells of the token's key and the vault's. Throws KEY_NOT_OF_THIS_DATA.
 */
export function checkKeysOfStore(keys: GatewayKeys, store: ReservationStore): void {
  const stored = store.keyFingerprints;
  if (stored === null) {
    checkWhatWasMade(keys, store);
    return;
  }
  for (const name of NAMES) {
    const [expected, found] = [stored[name], keys.fingerprints[name]];
    if (expected !== undefined && expected !== found) {
      throw keyNotOfData(name, { data: "the gateway's store", expected, found });
    }
  }
}

/**
 * Holds the ledger's name and the keys against the log's register, and puts them beside what they made where they are not yet: in the register
 * and in the store. Throws KEY_NOT_OF_THIS_DATA.
 */
export async function rememberKeys(
  keys: GatewayKeys,
  { store, register, logger }: { store: ReservationStore; register: LogRegister; logger: Logger },
): Promise<void> {
  const data = 'the event log';
  const name = await register.enter('ledger-name', keys.ledgerName);
  if (name !== keys.ledgerName) throw keyNotOfData('ledger-name', { data, expected: name, found: keys.ledgerName });
  for (const file of IN_LOG) {
    const found = keys.fingerprints[file];
    const expected = await register.enter(file, found);
    if (expected !== found) throw keyNotOfData(file, { data, expected, found });
  }
  if (store.keyFingerprints !== null) return;
  await store.setKeyFingerprints(keys.fingerprints);
  logger.info({ keys: NAMES }, 'the fingerprints of the keys stand beside what they make from now on');
}

function checkWhatWasMade(keys: GatewayKeys, store: ReservationStore): void {
  const data = "the gateway's store";
  const { fingerprints } = keys;
  const another = (name: GatewayKeyName) =>
    keyNotOfData(name, { data, expected: 'another', found: fingerprints[name] });
  if (store.lastReceipt > 0 && !isSignedBy(store.receipt(store.lastReceipt).note, keys)) {
    throw another('gateway-ed25519');
  }
  const token = store.somePerson();
  if (token === null) return;
  let nino: string | null;
  try {
    nino = store.ninoOf(token);
  } catch (error) {
    throw hasCode(error, 'VAULT_DAMAGED') ? another('vault-key') : error;
  }
  if (nino !== null && tokenOfNino(nino, keys.personTokenKey) !== token) throw another('person-token-key');
}

function isSignedBy(note: string, keys: GatewayKeys): boolean {
  try {
    openNote(note, [keys.signer.key], nodeEd25519Verify);
    return true;
  } catch {
    return false;
  }
}
