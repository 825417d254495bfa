import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface CategoryValue {
  readonly name: string;
  readonly from: string;
  readonly unit: string;
  readonly value?: string;
  readonly region?: string;
  readonly rateBasisPoints?: number;
  readonly dispatch?: boolean;
  readonly citation: { readonly title: string };
}

const PREFIX = 'category.';

/** The table of categories as docs/rules/vat.md has it, line by line, printed from the shipped rate cards. */
export function vatCategoryRows(folder = 'libs/core/vat/rates'): readonly string[] {
  const categories = new Map<string, CategoryValue[]>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith('categories-')) continue;
    const { values } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { values: readonly CategoryValue[] };
    for (const value of values.filter(({ unit }) => unit === 'treatment')) {
      categories.set(value.name, [...(categories.get(value.name) ?? []), value]);
    }
  }
  const rows = [...categories]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => {
      const sources = [...new Set(values.map(({ citation }) => citation.title))].join('; ');
      return `| \`${name.slice(PREFIX.length)}\` | ${treatmentsText(values)} | ${sources} |`;
    });
  return ['| category | treatment and the day from which it holds | source |', '|---|---|---|', ...rows];
}

/** `S 1973-04-01, R 2020-07-15, R 12.5% 2021-10-01`; regions apart where they differ. */
function treatmentsText(values: readonly CategoryValue[]): string {
  const regions = new Set(values.map(({ region }) => region ?? ''));
  return [...regions]
    .map((region) => {
      const own = values.filter((value) => (value.region ?? '') === region).map(treatmentText);
      return region === '' ? own.join(', ') : `${region}: ${own.join(', ')}`;
    })
    .join('; ');
}

function treatmentText({ value, from, rateBasisPoints, dispatch }: CategoryValue): string {
  const rate = rateBasisPoints === undefined ? '' : ` ${rateBasisPoints / 100}%`;
  return `${value}${rate} ${from}${dispatch === true ? ' (box 8 too)' : ''}`;
}
