import {
  type Client,
  type ClientRegistry,
  clientRegistry,
  digestOfKey,
  loadClients,
} from '../../../libs/adapters/access/clients.ts';
import { loadClientKey } from '../../../libs/adapters/access/key-files.ts';

/** Of the clients that a Tallystick gives itself. */
export const OWN_CLIENT_ROLES = {
  payer: ['payer'],
  bank: ['bank'],
  analyst: ['analyst'],
  operator: ['operator', 'analyst', 'payer'],
} as const satisfies Record<string, Client['roles']>;

export type OwnClient = keyof typeof OWN_CLIENT_ROLES;

export interface OwnClients {
  readonly keys: Readonly<Record<OwnClient, string>>;
  readonly clients: ClientRegistry;
}

/**
 * The clients that a Tallystick started by this command has of itself, each with a key of its own in the data folder, and those of a clients
 * file beside them. Throws KEY_FILE_INVALID, CLIENTS_INVALID.
 */
export function ownClients(dataDir: string, clientsFile?: string): OwnClients {
  const keys = { payer: '', bank: '', analyst: '', operator: '' };
  const clients: Client[] = [];
  for (const id of Object.keys(OWN_CLIENT_ROLES) as OwnClient[]) {
    keys[id] = loadClientKey(dataDir, id);
    const keySha256 = digestOfKey(keys[id]);
    // its own systems may produce to ingress.payer.v1 too (docs/ingress.md)
    clients.push({
      id,
      keySha256,
      accounts: '*',
      roles: OWN_CLIENT_ROLES[id],
      expiresAt: null,
      ingress: id === 'payer',
    });
  }
  if (clientsFile !== undefined) clients.push(...loadClients(clientsFile).clients);
  return { keys, clients: clientRegistry(clients) };
}
