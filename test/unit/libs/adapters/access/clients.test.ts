import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Client,
  clientRegistry,
  digestOfKey,
  hasRole,
  loadClients,
  mayActFor,
} from '../../../../../libs/adapters/access/clients.ts';
import { account } from '../../../../../libs/core/identity/account.ts';

const EMPLOYER = account('paye:123/AB456');
const TRADER = account('vat:101747696');
const NOON_MS = Date.parse('2026-11-21T12:00:00Z');

const client = (more: Partial<Client> = {}): Client => ({
  id: 'payroll-bureau',
  keySha256: digestOfKey('secret'),
  accounts: [EMPLOYER],
  roles: ['payer'],
  expiresAt: '2026-11-21T12:00:00Z',
  ...more,
});

let folder: string | null = null;
afterEach(() => {
  if (folder !== null) rmSync(folder, { recursive: true });
  folder = null;
});

function fileOf(content: unknown): string {
  folder = mkdtempSync(join(tmpdir(), 'tally-clients-'));
  const file = join(folder, 'clients.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('the registry of clients', () => {
  it('knows a client by its key until the moment that the key expires', () => {
    const registry = clientRegistry([client()]);
    expect(registry.clientOfKey('secret', NOON_MS - 1).id).toBe('payroll-bureau');
    expect(() => registry.clientOfKey('secret', NOON_MS)).toThrow(expect.objectContaining({ code: 'KEY_EXPIRED' }));
    expect(() => registry.clientOfKey('Secret', 0)).toThrow(expect.objectContaining({ code: 'KEY_UNKNOWN' }));
  });

  it('binds a client to its accounts, and an agent with * to all', () => {
    expect(mayActFor(client(), EMPLOYER)).toBe(true);
    expect(mayActFor(client(), TRADER)).toBe(false);
    expect(mayActFor(client({ accounts: '*' }), TRADER)).toBe(true);
    expect(mayActFor(client({ accounts: [] }), EMPLOYER)).toBe(false);
    expect([hasRole(client(), 'payer'), hasRole(client(), 'bank')]).toEqual([true, false]);
  });

  it('refuses two clients of one key, or of one id', () => {
    const facts = expect.objectContaining({ code: 'CLIENTS_INVALID' });
    expect(() => clientRegistry([client(), client({ id: 'other' })])).toThrow(facts);
    expect(() => clientRegistry([client(), client({ keySha256: digestOfKey('x') })])).toThrow(facts);
  });

  it('reads the clients file', () => {
    const registry = loadClients(
      fileOf({
        clients: [client({ expiresAt: null }), client({ id: 'b', keySha256: digestOfKey('b'), accounts: '*' })],
      }),
    );
    expect(registry.clients.map(({ id }) => id)).toEqual(['payroll-bureau', 'b']);
    expect(registry.clientOfKey('secret', NOON_MS * 2).accounts).toEqual([EMPLOYER]);
  });

  it.each([
    ['no JSON', '{'],
    ['a key in the clear', { clients: [{ ...client(), key: 'secret' }] }],
    ['a digest that is none', { clients: [client({ keySha256: 'abc' })] }],
    ['an account that is none', { clients: [{ ...client(), accounts: ['paye:1/A'] }] }],
    ['an unknown role', { clients: [{ ...client(), roles: ['root'] }] }],
    ['a time that is none', { clients: [client({ expiresAt: 'tomorrow' })] }],
  ])('refuses a clients file with %s', (_, content) => {
    expect(() => loadClients(fileOf(content))).toThrow(expect.objectContaining({ code: 'CLIENTS_INVALID' }));
  });
});
