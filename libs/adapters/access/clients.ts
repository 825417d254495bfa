import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseJson } from '../../core/encoding/parse-json.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Account } from '../../core/identity/account.ts';
import { isAccount } from '../../core/identity/account.ts';

const CLIENT_ROLES = ['payer', 'bank', 'operator', 'analyst'] as const;
export type ClientRole = (typeof CLIENT_ROLES)[number];

/** Who may call, as the clients file has it. The key itself is nowhere but with the client. */
export interface Client {
  readonly id: string;
  /** SHA-256 of the key's UTF-8 bytes, 64 lower-case hex. */
  readonly keySha256: string;
  /** Accounts that the client acts for; '*' is all of them. */
  readonly accounts: readonly Account[] | '*';
  readonly roles: readonly ClientRole[];
  /** RFC 3339; null for a key that does not expire. */
  readonly expiresAt: string | null;
  /** True where the client's own systems produce to its topic ingress.<id>.v1; who may write there is the broker's ACL. */
  readonly ingress?: boolean | undefined;
}

export interface ClientRegistry {
  /** The client of a bearer key. Throws KEY_UNKNOWN, KEY_EXPIRED. */
  clientOfKey(key: string, civilMs: number): Client;
  readonly clients: readonly Client[];
}

/** True where the client may act for the account. */
export function mayActFor(client: Client, owner: Account): boolean {
  return client.accounts === '*' || accountSet(client).has(owner);
}

export function hasRole(client: Client, role: ClientRole): boolean {
  return client.roles.includes(role);
}

/** A registry of these clients. Throws CLIENTS_INVALID where an id or a key stands twice. */
export function clientRegistry(clients: readonly Client[]): ClientRegistry {
  const byDigest = new Map(clients.map((client) => [client.keySha256, client]));
  const ids = new Set(clients.map((client) => client.id));
  if (byDigest.size !== clients.length || ids.size !== clients.length) {
    throw new TallyError('CLIENTS_INVALID', 'an id or a key stands twice among the clients', {});
  }
  return {
    clients,
    clientOfKey(key, civilMs) {
      const digest = createHash('sha256').update(key).digest();
      const client = byDigest.get(digest.toString('hex'));
      // the look-up is by digest, which the caller cannot steer; the comparison again is for who reads this and wonders
      if (client === undefined || !timingSafeEqual(digest, Buffer.from(client.keySha256, 'hex'))) {
        throw new TallyError('KEY_UNKNOWN', 'no client has this key', {});
      }
      if (client.expiresAt !== null && Date.parse(client.expiresAt) <= civilMs) {
        throw new TallyError('KEY_EXPIRED', 'the client key has expired: ask whoever gave it for a new one', {
          client: client.id,
        });
      }
      return client;
    },
  };
}

/** Reads `{"clients": [...]}`. Throws CLIENTS_INVALID, naming the first thing that is wrong. */
export function loadClients(file: string): ClientRegistry {
  let json: unknown;
  try {
    json = parseJson(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof TallyError ? `: ${cause.message}` : '';
    const message = `the clients file ${file} cannot be read as JSON${why}`;
    throw new TallyError('CLIENTS_INVALID', message, { file }, { cause });
  }
  const parsed = CLIENTS_FILE.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    throw new TallyError('CLIENTS_INVALID', `the clients file ${file} is wrong at ${where}: ${issue?.message}`, {
      file,
    });
  }
  return clientRegistry(parsed.data.clients);
}

/** What stands in the clients file for a key: 64 lower-case hex. */
export function digestOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

const CLIENT: z.ZodType<Client> = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  keySha256: z.string().regex(/^[0-9a-f]{64}$/),
  accounts: z.union([
    z.literal('*'),
    z.array(z.custom<Account>((text) => typeof text === 'string' && isAccount(text))),
  ]),
  roles: z.array(z.enum(CLIENT_ROLES)),
  expiresAt: z.iso.datetime({ offset: true }).nullable(),
  ingress: z.boolean().optional(),
});
const CLIENTS_FILE = z.strictObject({ clients: z.array(CLIENT) });

const ACCOUNT_SETS = new WeakMap<Client, ReadonlySet<Account>>();

function accountSet(client: Client): ReadonlySet<Account> {
  const known = ACCOUNT_SETS.get(client);
  if (known !== undefined) return known;
  const made = new Set(client.accounts === '*' ? [] : client.accounts);
  ACCOUNT_SETS.set(client, made);
  return made;
}
