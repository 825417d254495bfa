import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ledgerNameOf,
  loadClientKey,
  loadGatewayKeys,
  loadLedgerKeys,
  loadPayerSigner,
} from '../../../../../libs/adapters/access/key-files.ts';
import { nodeEd25519Verify } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { openNote, signNote } from '../../../../../libs/core/ledger/note/signed-note.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tally-keys-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const invalid = expect.objectContaining({ code: 'KEY_FILE_INVALID' });

describe('key files', () => {
  it('are made once and found again, the same', () => {
    const first = {
      ledger: loadLedgerKeys(dataDir),
      gateway: loadGatewayKeys(dataDir),
      key: loadClientKey(dataDir, 'feed'),
    };
    const second = {
      ledger: loadLedgerKeys(dataDir),
      gateway: loadGatewayKeys(dataDir),
      key: loadClientKey(dataDir, 'feed'),
    };
    expect(second.ledger.master).toEqual(first.ledger.master);
    expect(second.ledger.signer.key).toEqual(first.ledger.signer.key);
    expect(second.gateway.signer.key).toEqual(first.gateway.signer.key);
    expect(second.gateway.personTokenKey).toEqual(first.gateway.personTokenKey);
    expect(second.gateway.vaultKey).toEqual(first.gateway.vaultKey);
    expect(second.key).toBe(first.key);
    expect(first.gateway.vaultKey).not.toEqual(first.gateway.personTokenKey);
    expect(ledgerNameOf(dataDir)).toMatch(/^tallystick-[0-9a-f]{8}$/);
    expect(first.gateway.ledgerName).toBe(first.ledger.ledgerName);
  });

  it('are readable by their owner alone, whole, and nothing else is left beside them', () => {
    loadLedgerKeys(dataDir);
    loadGatewayKeys(dataDir);
    loadPayerSigner(dataDir, 'payer-node');
    const files = readdirSync(join(dataDir, 'keys')).sort();
    expect(files).toEqual([
      'gateway-ed25519',
      'ledger-ed25519',
      'ledger-master',
      'ledger-name',
      'payer-ed25519',
      'person-token-key',
      'vault-key',
    ]);
    for (const file of files) {
      expect(statSync(join(dataDir, 'keys', file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(dataDir, 'keys', file), 'utf8')).toMatch(/\n$/);
    }
    expect(statSync(join(dataDir, 'keys')).mode & 0o777).toBe(0o700);
  });

  it('sign notes that their verifier keys open, the gateway under a name of its own', () => {
    const { signer, ledgerName } = loadGatewayKeys(dataDir);
    expect(signer.key.name).toBe(`${ledgerName}/gateway`);
    const note = signNote('hello\n', [signer]);
    expect(openNote(note, [signer.key], nodeEd25519Verify).text).toBe('hello\n');
    expect(() => openNote(note, [loadLedgerKeys(dataDir).signer.key], nodeEd25519Verify)).toThrow(/no known key/);
  });

  it.each([
    ['empty', ''],
    ['cut short', 'abcd\n'],
    ['not hex', `${'zz'.repeat(32)}\n`],
  ])('that are %s are refused, not written over', (_, content) => {
    loadGatewayKeys(dataDir);
    const file = join(dataDir, 'keys', 'vault-key');
    writeFileSync(file, content);
    expect(() => loadGatewayKeys(dataDir)).toThrow(invalid);
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  it('that others may read are refused', () => {
    loadGatewayKeys(dataDir);
    chmodSync(join(dataDir, 'keys', 'vault-key'), 0o644);
    expect(() => loadGatewayKeys(dataDir)).toThrow(invalid);
  });
});
