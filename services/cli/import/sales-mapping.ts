import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseJson } from '../../../libs/core/encoding/parse-json.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

const pattern = z.string().refine((text) => isPattern(text), 'not a regular expression');

const categoryRule = z.strictObject({
  /** Regular expression over the whole item code. */
  code: pattern,
  category: z.string().min(1).max(64),
});

/** What an importer of sales must be told: a file of sales never says all of it. */
const salesMapping = z.strictObject({
  kind: z.literal('sales'),
  /** Column names of the file, by what they hold. */
  columns: z.strictObject({
    invoice: z.string(),
    code: z.string(),
    quantity: z.string(),
    unitPrice: z.string(),
    occurredAt: z.string(),
    customer: z.string().optional(),
    country: z.string().optional(),
  }),
  /** Whether unit prices include VAT: no file says so, and the amounts differ by a fifth. Without it, each line's VAT is put on top. */
  pricesIncludeVat: z.boolean(),
  /** Civil times of the file are of this zone. */
  zone: z.literal('Europe/London'),
  tillId: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
  /** Invoices whose number begins so are credit notes. */
  creditNotePrefix: z.string().min(1),
  /** The VAT category of an item code; the first rule that matches wins. */
  categories: z.array(categoryRule),
  defaultCategory: z.string().min(1).max(64),
  /** Item codes that are no supplies of this trader (fees paid, bad debts, commission), with the reason. */
  notSupplies: z.array(z.strictObject({ code: pattern, reason: z.string().min(1) })),
  /** Negative quantities at price zero outside credit notes: stock written off, not a supply. */
  writeOffs: z.literal('not a supply'),
  /** Customers in these countries are in the United Kingdom for VAT. */
  homeCountries: z.array(z.string()),
  /** Countries of the EU whose customers are registered for VAT there, and the category of what is dispatched to them (box 8). */
  dispatches: z.strictObject({ countries: z.array(z.string()), category: z.string().min(1).max(64) }).optional(),
  /** Category of what goes to all others. */
  abroadCategory: z.string().min(1).max(64),
});

export type SalesMapping = z.infer<typeof salesMapping>;

/** Reads a mapping file of `tally import sales`. Throws MAPPING_INVALID naming every fault. */
export async function readSalesMapping(file: string): Promise<SalesMapping> {
  return parseMapping(file, salesMapping);
}

const payrollMapping = z.strictObject({
  kind: z.literal('payroll'),
  /** Column of the file for each field of a payment (docs/http-api.md); amounts are decimal pounds. */
  columns: z.record(z.string(), z.string()),
  /** Values that hold for every row where no column gives them. */
  constants: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])),
});

export type PayrollMapping = z.infer<typeof payrollMapping>;

/** Reads a mapping file of `tally import payroll`. Throws MAPPING_INVALID naming every fault. */
export async function readPayrollMapping(file: string): Promise<PayrollMapping> {
  return parseMapping(file, payrollMapping);
}

async function parseMapping<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TallyError(
      'FILE_UNREADABLE',
      `cannot read the mapping file ${file}: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  });
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    const why = (cause as Error).message.replace('the text', 'it');
    const message = `the mapping file ${file} cannot be read: ${why}; correct it there, or begin with one of docs/mappings`;
    throw new TallyError('MAPPING_INVALID', message, { file }, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
  throw new TallyError('MAPPING_INVALID', `the mapping file ${file} has faults:\n  ${faults.join('\n  ')}`, {
    file,
    faults,
  });
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
