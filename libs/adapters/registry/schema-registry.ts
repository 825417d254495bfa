import { setTimeout as sleep } from 'node:timers/promises';
import { TallyError } from '../../core/errors/tally-error.ts';
import { isRegistryId, type RegisteredSchema } from '../codec/schema/registry-wire-format.ts';
import type { SchemaFile } from '../codec/schema/schema-files.ts';
import { singleObjectHeader } from '../codec/schema/single-object.ts';
import { call as callServer, jsonIn } from '../http/call.ts';

export interface SchemaRegistryOptions {
  /** Address of an API like Confluent's: `http://127.0.0.1:8081`, Apicurio's `…/apis/ccompat/v7`. */
  readonly url: string;
  /** The value of the Authorization header, where the registry asks for one. */
  readonly authorization?: string;
  readonly timeoutMs?: number;
}

export interface SchemaRegistryDependencies {
  readonly fetch: typeof fetch;
}

/** Rule 1 of schemas/README.md, kept by the registry too. */
const COMPATIBILITY = 'FULL_TRANSITIVE';
const TIMEOUT_MS = 5_000;
/** How often a call is made that had no answer, or one of the server's own faults. */
const ATTEMPTS = 4;
const RETRY_MS = 500;
/** It answers with an id, or says what is wrong. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** The most that an error repeats of what it said. */
const SAID_CHARACTERS_MAX = 500;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * Registers every schema and every release of it, oldest first, under a subject for each record (its full name), which is set to
 * FULL_TRANSITIVE. What is registered already is found again. All ids are known afterwards, so nothing is asked of the registry later.
 * Throws SCHEMA_REGISTRY_UNAVAILABLE (retriable), SCHEMA_REGISTRY_REFUSED with the registry's own words.
 *
 * A client of our own: two calls at start. @kafkajs/confluent-schema-registry 3.9 brings ajv 7, protobufjs and mappersmith, encodes values by
 * itself and one by one, and asks again for each id that it was refused.
 */
export async function registerSchemas(
  files: readonly SchemaFile[],
  options: SchemaRegistryOptions,
  dependencies: SchemaRegistryDependencies,
): Promise<readonly RegisteredSchema[]> {
  const call = caller(options, dependencies);
  const bySubject = new Map<string, SchemaFile[]>();
  for (const file of [...files].sort(byRelease)) {
    const subject = subjectOf(file);
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), file]);
  }
  const registered = new Map<number, RegisteredSchema>();
  for (const [subject, releases] of bySubject) {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    for (const [index, file] of releases.entries()) {
      const { id } = await call('POST', path, { schema: file.text, schemaType: 'AVRO' });
      if (!isRegistryId(id)) throw refused(options.url, `POST ${path}`, 200, 'it answers without an id');
      // the map keeps the newest: releases that differ in their words alone may have an id each
      registered.set(id, { id, header: singleObjectHeader(file.type) });
      // a subject has settings of its own once it is there
      if (index === 0) {
        await call('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: COMPATIBILITY });
      }
    }
  }
  return [...registered.values()];
}

/** Releases in their order, the schema in force last. */
function byRelease(a: SchemaFile, b: SchemaFile): number {
  const place = (file: SchemaFile) => (file.release === 0 ? Number.MAX_SAFE_INTEGER : file.release);
  return place(a) - place(b);
}

/** `tallystick.TillEvent`, as its record is named. */
function subjectOf({ type, name }: SchemaFile): string {
  return type.name ?? name;
}

type Call = (method: 'POST' | 'PUT', path: string, body: unknown) => Promise<Readonly<Record<string, unknown>>>;

function caller(options: SchemaRegistryOptions, { fetch }: SchemaRegistryDependencies): Call {
  const url = options.url.replace(/\/+$/, '');
  const { authorization, timeoutMs = TIMEOUT_MS } = options;
  const registry = { name: 'the schema registry', url, timeoutMs, unreachable: 'SCHEMA_REGISTRY_UNAVAILABLE' };
  const headers = { 'content-type': CONTENT_TYPE, ...(authorization === undefined ? {} : { authorization }) };
  const unavailable = (cause: unknown): TallyError => {
    const message = `the schema registry at ${url} does not answer: start it, or correct SCHEMA_REGISTRY_URL`;
    return new TallyError('SCHEMA_REGISTRY_UNAVAILABLE', message, { url }, { retriable: true, cause });
  };
  return async (method, path, body) => {
    let cause: unknown = null;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (attempt > 1) await sleep(RETRY_MS * (attempt - 1));
      const request = { method, path, headers, body: JSON.stringify(body), bytesMax: ANSWER_BYTES_MAX };
      try {
        const { ok, status, bytes } = await callServer(registry, request, fetch);
        const json = jsonIn(bytes);
        if (ok && typeof json === 'object' && json !== null) return json as Readonly<Record<string, unknown>>;
        const said = bytes.toString('utf8').slice(0, SAID_CHARACTERS_MAX);
        // a conflict may be with another service that registers the same at the same moment
        const isFinal = !ok && status < 500 && (status !== 409 || attempt > 1);
        if (isFinal) throw refused(options.url, `${method} ${path}`, status, said);
        cause = new Error(`${status}: ${said}`);
      } catch (error) {
        if (!(error instanceof TallyError && error.code === registry.unreachable)) throw error;
        cause = error;
      }
    }
    throw unavailable(cause);
  };
}

function refused(url: string, call: string, status: number, said: string): TallyError {
  const message = `the schema registry at ${url} refuses ${call} (${status}): ${said}`;
  return new TallyError('SCHEMA_REGISTRY_REFUSED', message, { url, status });
}
