import { isJsonObject, type JsonObject } from '../../../libs/core/encoding/json-object.ts';
import { parseJson } from '../../../libs/core/encoding/parse-json.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { valuesByName } from './json-values.ts';

/** Characters of a JSON document, which is read whole. */
export const DOCUMENT_CHARACTERS_MAX = 64 * 1024 * 1024;

type Values = Readonly<Record<string, string>>;

/**
 * The objects of the list that `rows` names (`order.line_items`), each with the single values of what it lies in (`order.created_at`).
 * Without `rows` a list is its objects, and an object is one row. Throws FILE_NOT_JSON, ROWS_NOT_NAMED and ROWS_MISSING.
 */
export function rowsOfDocument(text: string, file: string, rows: string | undefined): readonly Values[] {
  const document = documentOf(text, file);
  if (rows !== undefined) return rowsAt(document, rows, file);
  if (Array.isArray(document)) return document.filter(isJsonObject).map((object) => valuesByName(object));
  const lists = isJsonObject(document) ? listsOf(document, '', 0) : [];
  if (lists.length === 0 && isJsonObject(document)) return [valuesByName(document)];
  const names = lists.map((name) => `"rows": "${name}"`).join(' or ');
  const message = `${file} is one JSON document: say in the mapping which of its lists holds the rows: ${names}`;
  throw new TallyError('ROWS_NOT_NAMED', message, { file, lists });
}

function documentOf(text: string, file: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const message = `${file} begins as JSON, but ${(cause as Error).message}: export it again`;
    throw new TallyError('FILE_NOT_JSON', message, { file }, { cause });
  }
}

function rowsAt(document: unknown, path: string, file: string): readonly Values[] {
  const found: Values[] = [];
  const isReached = follow(document, path.split('.'), '', {}, found);
  if (isReached) return found;
  const message = `${file} has no list "${path}", which the mapping names as "rows"`;
  throw new TallyError('ROWS_MISSING', message, { file });
}

/** True where the path leads to a list of this part. */
function follow(part: unknown, path: readonly string[], prefix: string, around: Values, found: Values[]): boolean {
  if (Array.isArray(part)) {
    if (path.length === 0) {
      for (const object of part) if (isJsonObject(object)) found.push({ ...around, ...valuesByName(object) });
      return true;
    }
    return part.map((each) => follow(each, path, prefix, around, found)).some(Boolean) || part.length === 0;
  }
  const [name, ...rest] = path;
  if (name === undefined || !isJsonObject(part)) return false;
  const { [name]: inner, ...own } = part;
  return follow(inner, rest, `${prefix}${name}.`, { ...around, ...valuesByName(own, prefix) }, found);
}

const LISTS_DEPTH_MAX = 4;

function listsOf(object: JsonObject, prefix: string, depth: number): readonly string[] {
  if (depth > LISTS_DEPTH_MAX) return [];
  return Object.entries(object).flatMap(([name, value]) => {
    if (isJsonObject(value)) return listsOf(value, `${prefix}${name}.`, depth + 1);
    const isList = Array.isArray(value) && value.some(isJsonObject);
    return isList ? [`${prefix}${name}`] : [];
  });
}
