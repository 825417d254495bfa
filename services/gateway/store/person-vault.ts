import { createCipheriv, createDecipheriv } from 'node:crypto';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { RandomBytes } from '../../../libs/core/ledger/note/ed25519.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals and opens what the vault holds: AES-256-GCM, the token being part of what is authenticated. Pure but for the randomness. */
export interface VaultSeal {
  seal(token: Buffer, nino: string): Buffer;
  /** Throws VAULT_DAMAGED where the key is another or a byte was changed. */
  open(token: Buffer, sealed: Buffer): string;
}

export function vaultSeal(vaultKey: Uint8Array, random: RandomBytes): VaultSeal {
  return {
    seal(token, nino) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', vaultKey, nonce);
      cipher.setAAD(token);
      return Buffer.concat([nonce, cipher.update(nino, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open(token, sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', vaultKey, sealed.subarray(0, NONCE_BYTES));
        decipher.setAAD(token);
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new TallyError('VAULT_DAMAGED', 'an entry of the vault does not open under its key', {}, { cause });
      }
    },
  };
}
