import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TallyError } from '../../core/errors/tally-error.ts';
import {
  type RegisteredSchema,
  type RegistryWireFormat,
  registryWireFormat,
} from '../codec/schema/registry-wire-format.ts';
import { readSchemaFiles } from '../codec/schema/schema-files.ts';
import { registerSchemas } from '../registry/schema-registry.ts';

const IDS_FILE = 'schema-ids.json';
const idsFile = z.strictObject({
  ids: z.array(z.strictObject({ id: z.int().min(0), header: z.string().regex(/^c301[0-9a-f]{16}$/) })),
});

/**
 * How values stand in the log, from the environment: SCHEMA_REGISTRY_URL, with SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD_FILE.
 * Null for single-object encoding. The ids are kept in the data folder: a registry that gives another schema an id that stands in the topics
 * is refused (SCHEMA_IDS_DIFFER), and what was written with a registry stays readable without its address.
 * Throws SCHEMA_REGISTRY_UNAVAILABLE, SCHEMA_REGISTRY_REFUSED.
 */
export async function openWireFormat(dataDir: string, env: NodeJS.ProcessEnv): Promise<RegistryWireFormat | null> {
  const file = join(dataDir, IDS_FILE);
  const known = readIds(file);
  const url = env['SCHEMA_REGISTRY_URL'];
  if (url === undefined || url === '') return known.length === 0 ? null : registryWireFormat([], known);
  const authorization = authorizationOf(env);
  const registered = await registerSchemas(
    readSchemaFiles(),
    { url, ...(authorization === null ? {} : { authorization }) },
    { fetch },
  );
  const all = merged(known, registered, url);
  mkdirSync(dataDir, { recursive: true });
  const ids = all.map(({ id, header }) => ({ id, header: header.toString('hex') }));
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify({ ids })}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return registryWireFormat(registered, all);
}

function readIds(file: string): RegisteredSchema[] {
  if (!existsSync(file)) return [];
  try {
    const { ids } = idsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    return ids.map(({ id, header }) => ({ id, header: Buffer.from(header, 'hex') }));
  } catch (cause) {
    throw new TallyError(
      'SCHEMA_IDS_INVALID',
      `${file} cannot be read: it is made anew where it is absent`,
      {},
      { cause },
    );
  }
}

function merged(known: RegisteredSchema[], registered: readonly RegisteredSchema[], url: string): RegisteredSchema[] {
  const all = new Map(known.map((one) => [one.id, one]));
  for (const one of registered) {
    const before = all.get(one.id);
    if (before !== undefined && !before.header.equals(one.header)) {
      const message = `the registry at ${url} gives id ${one.id} to another schema than before: values in the topics would be read as what they are not. Is it another registry, or one that lost its schemas?`;
      throw new TallyError('SCHEMA_IDS_DIFFER', message, { url, id: one.id });
    }
    all.set(one.id, one);
  }
  return [...all.values()];
}

function authorizationOf(env: NodeJS.ProcessEnv): string | null {
  const username = env['SCHEMA_REGISTRY_USERNAME'];
  const passwordFile = env['SCHEMA_REGISTRY_PASSWORD_FILE'];
  if (username === undefined || passwordFile === undefined) return null;
  const password = readFileSync(passwordFile, 'utf8').trim();
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
