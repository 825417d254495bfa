import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { vaultSeal } from '../../../../../services/gateway/store/person-vault.ts';

const key = new Uint8Array(32).fill(7);
const token = Buffer.alloc(16, 1);
const vault = vaultSeal(key, randomBytes);

describe('the vault of persons', () => {
  it('gives back what it sealed, and seals the same twice differently', () => {
    const sealed = vault.seal(token, 'AB123456C');
    expect(vault.open(token, sealed)).toBe('AB123456C');
    expect(sealed.toString('latin1')).not.toContain('AB123456C');
    expect(vault.seal(token, 'AB123456C').equals(sealed)).toBe(false);
  });

  it.each([
    [
      'another key',
      () => vaultSeal(new Uint8Array(32).fill(8), randomBytes).open(token, vault.seal(token, 'AB123456C')),
    ],
    ['another token', () => vault.open(Buffer.alloc(16, 2), vault.seal(token, 'AB123456C'))],
    [
      'a changed byte',
      () => {
        const sealed = vault.seal(token, 'AB123456C');
        sealed.writeUInt8((sealed[14] ?? 0) ^ 1, 14);
        return vault.open(token, sealed);
      },
    ],
    ['nothing', () => vault.open(token, Buffer.alloc(0))],
  ])('does not open with %s', (_, open) => {
    expect(open).toThrow(expect.objectContaining({ code: 'VAULT_DAMAGED' }));
  });
});
