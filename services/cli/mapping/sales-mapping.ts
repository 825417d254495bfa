import { z } from 'zod';
import { nearestName } from '../../../libs/core/encoding/nearest-name.ts';
import type { VatRules } from '../../../libs/core/vat/rates/vat-rules.ts';
import { type Column, column, columnNames, fileStyle, readMapping } from './read-mapping.ts';

const pattern = z.string().refine((text) => isPattern(text), 'not a regular expression');
const category = z.string().min(1).max(64);
const rate = z.strictObject({ code: pattern, category });

/** What an importer of sales must know: a file of sales never says all of it. */
const salesMapping = z
  .strictObject({
    kind: z.literal('sales'),
    ...fileStyle,
    /** Columns of the file, by what they hold. */
    columns: z.strictObject({
      invoice: column,
      code: column,
      quantity: column,
      /** Price of one; or `lineAmount`, the price of the line. */
      unitPrice: column.optional(),
      lineAmount: column.optional(),
      /** Date and time, in one column or in two that are joined. */
      occurredAt: column,
      shop: column.optional(),
      customer: column.optional(),
      country: column.optional(),
      currency: column.optional(),
      /** Whatever sets apart rows that are equal otherwise. */
      occurrence: column.optional(),
      /** Taken off the line, of either sign. */
      lineDiscount: column.optional(),
      /** Taken off the whole order, on its first row; of either sign. */
      orderDiscount: column.optional(),
      shipping: column.optional(),
      refunded: column.optional(),
      total: column.optional(),
      /** Says that a row gives goods or money back, as `refundWords` say. */
      event: column.optional(),
    }),
    /** Whether prices include VAT: no file says so, and the amounts differ by a fifth. Without it, each line's VAT is put on top. */
    pricesIncludeVat: z.boolean(),
    /** Civil times of the file are of this zone. */
    zone: z.literal('Europe/London').default('Europe/London'),
    tillId: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
    /** Invoices whose number begins so are credit notes. */
    creditNotePrefix: z.string().min(1).optional(),
    /** What the column `event` says of a sale, and of what is given back; any other word is refused. */
    saleWords: z.array(z.string()).default([]),
    refundWords: z.array(z.string()).default([]),
    /** `restart`: numbers begin again each day, so that a number and its day name a receipt; `unique`: the number does alone. */
    receiptNumbers: z.enum(['restart', 'unique']).default('restart'),
    /** The VAT category of an item code; the first rule that matches wins. */
    categories: z.array(rate).default([]),
    defaultCategory: category,
    /** Carriage has a category of its own where the file has a column of it. */
    shippingCategory: category.optional(),
    /** Whether an item without a code is of the default category. */
    itemsWithoutCode: z.enum(['ask', 'defaultCategory']).default('ask'),
    /** Item codes whose negative amounts are a discount of their receipt, shared over its other lines by their prices. */
    discounts: z.array(pattern).default([]),
    /** Item codes whose negative amounts are vouchers or cards given in payment: no part of the price. */
    tenders: z.array(pattern).default([]),
    /** Item codes that are no supplies of this trader (fees paid, bad debts, commission), with the reason. */
    notSupplies: z.array(z.strictObject({ code: pattern, reason: z.string().min(1) })).default([]),
    /** Negative quantities at price zero outside credit notes: stock written off, not a supply. */
    writeOffs: z.literal('not a supply').default('not a supply'),
    /** Customers in these countries are in the United Kingdom for VAT; an empty text is a blank country. */
    homeCountries: z.array(z.string()).default(['United Kingdom']),
    /** Countries of the EU whose customers are registered for VAT there, and the category of what is dispatched to them (box 8). */
    dispatches: z.strictObject({ countries: z.array(z.string()), category }).optional(),
    /** Countries to which goods are exported, and the category of what goes there. */
    abroadCountries: z.array(z.string()).default([]),
    abroadCategory: category.optional(),
  })
  .refine(
    ({ columns }) => (columns.unitPrice === undefined) !== (columns.lineAmount === undefined),
    'columns: expected either unitPrice or lineAmount',
  )
  .refine(({ columns, shippingCategory }) => columns.shipping === undefined || shippingCategory !== undefined, {
    message: 'expected the category of carriage, since there is a column of it',
    path: ['shippingCategory'],
  });

export type SalesMapping = z.infer<typeof salesMapping>;

/** Names of the five treatments, which a mapping may use beside the categories of the table. */
const TREATMENTS = ['standard', 'reduced', 'zero', 'exempt', 'outside'] as const;

/** Reads the mapping of `tally import sales`. Throws FILE_UNREADABLE and MAPPING_INVALID naming every fault, wrong categories among them. */
export async function readSalesMapping(named: string, rules: VatRules): Promise<SalesMapping> {
  return readMapping<SalesMapping>(named, salesMapping, (mapping) => categoryFaults(mapping, rules));
}

/** The columns that a file must have for a mapping. */
export function salesColumns(mapping: SalesMapping): readonly string[] {
  return namedColumns(mapping).filter((name) => !mapping.optionalColumns.includes(name));
}

/** Every column that a mapping reads. */
export function namedColumns({
  columns,
}: {
  readonly columns: Readonly<Record<string, Column | undefined>>;
}): readonly string[] {
  return [...new Set(Object.values(columns).flatMap(columnNames))];
}

function categoryFaults(mapping: SalesMapping, rules: VatRules): readonly string[] {
  const known = new Set<string>([...TREATMENTS, ...rules.categories.GB.keys(), ...rules.categories.NI.keys()]);
  const named: [string, string | undefined][] = [
    ['/defaultCategory', mapping.defaultCategory],
    ['/shippingCategory', mapping.shippingCategory],
    ['/abroadCategory', mapping.abroadCategory],
    ['/dispatches/category', mapping.dispatches?.category],
    ...mapping.categories.map((rule, index): [string, string] => [`/categories/${index}/category`, rule.category]),
  ];
  return named.flatMap(([pointer, name]) => {
    if (name === undefined || known.has(name)) return [];
    const near = nearestName(name, known);
    const meant = near === null ? '' : `: is "${near}" meant?`;
    return [`${pointer}: "${name}" is no category of docs/rules/vat.md${meant}`];
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
