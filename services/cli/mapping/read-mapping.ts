import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../../libs/adapters/codec/schema/project-root.ts';
import { parseJson } from '../../../libs/core/encoding/parse-json.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { sentenceOfSystemError } from '../input/system-error.ts';
import { AMOUNT_STYLES } from './amount-text.ts';
import { DATE_STYLES } from './date-text.ts';

/** Mappings for the exports of known software. */
const SHIPPED = join(projectRoot(), 'docs', 'mappings');

/** A column of the file by its name, or several whose texts are joined by a space. */
export const column = z.union([z.string().min(1), z.array(z.string().min(1)).min(2)]);
export type Column = z.infer<typeof column>;

/** What mappings of both kinds say of how the file is written. */
export const fileStyle = {
  dates: z.enum(DATE_STYLES).default('YYYY-MM-DD'),
  amounts: z.enum(AMOUNT_STYLES).default('1234.56'),
  /** The list of a JSON document that holds the rows, by members with dots. */
  rows: z.string().min(1).optional(),
  /** Whether rows that are equal in every column were meant so. */
  equalRows: z.enum(['ask', 'count', 'once']).default('ask'),
  /** Columns of the mapping that a file may lack. */
  optionalColumns: z.array(z.string()).default([]),
  /** Columns that are left unread on purpose. */
  notRead: z.array(z.string()).default([]),
};

/** The names of a column or of those that are joined. */
export function columnNames(of: Column | undefined): readonly string[] {
  if (of === undefined) return [];
  return typeof of === 'string' ? [of] : of;
}

/** The text of a column in a row; of joined columns, with a space between those that are not blank. */
export function textOf(values: Readonly<Record<string, string>>, of: Column | undefined): string {
  if (typeof of === 'string') return (values[of] ?? '').trim();
  return columnNames(of)
    .map((name) => (values[name] ?? '').trim())
    .filter((text) => text !== '')
    .join(' ');
}

/**
 * Reads a mapping: a file, or by name one of those that are shipped (`shopify`). Throws FILE_UNREADABLE, and MAPPING_INVALID naming
 * every fault.
 */
export async function readMapping<T>(
  named: string,
  schema: z.ZodType<T>,
  others: (mapping: T) => readonly string[],
): Promise<T> {
  const { text, file } = await textOfMapping(named);
  const invalid = (faults: readonly string[]): TallyError =>
    new TallyError('MAPPING_INVALID', `the mapping ${file} has faults:\n  ${faults.join('\n  ')}`, { file, faults });
  let json: unknown;
  try {
    json = parseJson(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const why = (cause as Error).message.replace('the text', 'it');
    const message = `the mapping file ${file} cannot be read: ${why}; correct it there, or begin with one of docs/mappings`;
    throw new TallyError('MAPPING_INVALID', message, { file }, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`));
  const faults = others(parsed.data);
  if (faults.length > 0) throw invalid(faults);
  return parsed.data;
}

async function textOfMapping(named: string): Promise<{ readonly text: string; readonly file: string }> {
  const isName = /^[a-z0-9-]+$/.test(named) && !existsSync(named);
  const file = isName ? join(SHIPPED, `${named}.json`) : named;
  try {
    return { text: await readFile(file, 'utf8'), file: named };
  } catch (cause) {
    const hint = isName ? `. By name there are: ${(await shippedNames()).join(', ')}` : '';
    const message = `the mapping file cannot be read: ${sentenceOfSystemError(cause, named)}${hint}`;
    throw new TallyError('FILE_UNREADABLE', message, { file: named }, { cause });
  }
}

async function shippedNames(): Promise<readonly string[]> {
  const files = await readdir(SHIPPED).catch(() => []);
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
}
