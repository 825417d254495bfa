import type { Row } from '../rows/read-rows.ts';
import { AMOUNT_STYLES, type AmountStyle, amountOf } from './amount-text.ts';
import { DATE_STYLES, type DateStyle, dayOfTime } from './date-text.ts';
import { isMoneyName } from './money-name.ts';
import { PAYROLL_FIELDS } from './payroll-fields.ts';
import { NONE_WORDS, PAYROLL_WORDS } from './payroll-words.ts';

/** A mapping to begin with, and what a person has to look at in it. */
export interface ProposedMapping {
  readonly mapping: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

type Names = Readonly<Record<string, RegExp>>;

/** How payroll software names its columns; the first that matches has the column. */
const PAYROLL_NAMES: Names = {
  payeReference: /paye.*ref|employer.*ref|tax office/,
  nino: /^ni ?no|ni number|national insurance n|nino/,
  worksNumber: /works (no|num)|payroll (no|num|id)|employee (no|num|id|code|ref)|staff (no|num|id)|pay ?id|^works/,
  paymentDate: /pay(ment)? date|date paid|paid on|pay day/,
  payFrequency: /freq|pay (period )?type|interval|schedule/,
  'starter.startDate': /start date|date of joining|joined/,
  'starter.declaration': /declaration|starter statement/,
  'starter.p45PayPence': /(p45|previous|prev).*(pay|gross)|pay.*previous/,
  'starter.p45TaxPence': /(p45|previous|prev).*tax|tax.*previous/,
  leavingDate: /leav/,
  week1Month1: /week ?1|wk ?1|w1|basis|non cumulative/,
  taxCode: /tax code/,
  niCategory: /ni (category|letter|table|cat)|nic (table|category|letter)|national insurance (table|category|letter)/,
  studentLoanPlan: /student loan (plan|type)|loan plan|^student loan$/,
  postgraduateLoan: /post ?grad(uate)? loan$|^pgl$/,
  'stated.incomeTaxPence': /^(paye |income )?tax( deducted| paid)?$|^paye$/,
  'stated.employerNicsPence': /(employer|er|ers).*(ni|nic|national insurance)|secondary/,
  'stated.employeeNicsPence': /(employee|ee|ees).*(ni|nic|national insurance)|^(nic?|national insurance)( deducted)?$/,
  'stated.studentLoanPence': /student loan (deduct|repay|amount)/,
  payrolledBenefitsPence: /payrolled benefit|benefits? in kind|^bik/,
  nicableEarningsPence: /(ni|nic)(able|-able)? ?(pay|earn|gross)|(earn|pay|gross).*(ni|nic|national insurance)|nicable/,
  taxablePayPence: /taxable/,
  period: /^(tax )?(period|month|week)( no| number)?$|tax (month|week)/,
};

const SALES_NAMES: Names = {
  currency: /^currency/,
  refunded: /refunded/,
  shipping: /^(shipping|delivery|carriage|postage)( amount| price| cost)?$/,
  lineDiscount: /line ?item discount|^discounts?$/,
  orderDiscount: /discount amount|order discount/,
  invoice: /invoice|receipt|order (no|num|id)|transaction (id|no|code)|^(name|number|order|id)$/,
  country: /country/,
  customer: /customer|e-?mail|buyer/,
  code: /sku|stock ?code|item (code|no|number)|product (code|id)|barcode|^code$|lineitem sku/,
  quantity: /qty|quantity|^units$/,
  lineAmount: /gross sales|line (total|amount)|price \(gross\)/,
  unitPrice: /unit ?price|lineitem price|^price|item price/,
  occurredAt: /created at|date ?time|timestamp|invoice ?date|sold at|date|time/,
  shop: /shop|store|location|branch/,
};

/** Where no column holds codes of items. */
const ITEM_NAME = /description|^item|^product|lineitem name/;

const SAY = 'say it here';

/** A mapping made of a file's first rows: every value of it is a proposal, and what no file says is left to be said. */
export function proposeMapping(rows: readonly Row[], columns: readonly string[]): ProposedMapping {
  const isPayroll = columns.some((name) => PAYROLL_NAMES['taxCode']?.test(plain(name)) === true);
  return isPayroll ? proposePayroll(rows, columns) : proposeSales(rows, columns);
}

function proposePayroll(rows: readonly Row[], columns: readonly string[]): ProposedMapping {
  const { found, unused } = matched(columns, PAYROLL_NAMES);
  const notes: string[] = [];
  const extra: Record<string, unknown> = {};
  if (found['payeReference'] === undefined)
    notes.push('the employer’s PAYE reference is in no column: import with --paye-reference 123/AB456');
  if (found['period'] === undefined) extra['periodOfPayDay'] = true;
  if (found['nicableEarningsPence'] === undefined)
    notes.push('"nicableEarningsPence": name the column of earnings for National Insurance');
  for (const field of ['worksNumber', 'paymentDate', 'payFrequency', 'taxCode', 'taxablePayPence', 'niCategory']) {
    if (found[field] === undefined)
      notes.push(`"${field}": name its column, or give one value for all rows under "constants"`);
  }
  const values = wordsOf(rows, found);
  if (Object.keys(values).length > 0) extra['values'] = values;
  const styles = stylesOf(rows, found, (field) => PAYROLL_FIELDS.get(field)?.kind);
  return { mapping: { kind: 'payroll', ...styles, columns: found, ...extra, notRead: unused }, notes };
}

function proposeSales(rows: readonly Row[], columns: readonly string[]): ProposedMapping {
  const { found, unused } = matched(columns, SALES_NAMES);
  const described = found['code'] === undefined ? unused.find((name) => ITEM_NAME.test(plain(name))) : undefined;
  if (described !== undefined) found['code'] = described;
  const separate = columns.find((name) => /^time$/i.test(name.trim()));
  const joined =
    separate !== undefined && found['occurredAt'] !== separate ? [found['occurredAt'], separate] : found['occurredAt'];
  if (found['unitPrice'] !== undefined) delete found['lineAmount'];
  const notes = ['"pricesIncludeVat": no file says whether prices include VAT, and the amounts differ by a fifth'];
  notes.push('"defaultCategory" and "categories": docs/rules/vat.md lists the categories');
  for (const field of ['invoice', 'code', 'quantity', 'occurredAt']) {
    if (found[field] === undefined) notes.push(`"${field}": name its column`);
  }
  if (found['country'] === undefined)
    notes.push('no column of countries: every sale counts as one in the United Kingdom');
  const styles = stylesOf(rows, found, (field) => SALES_KINDS[field]);
  const mapping = {
    kind: 'sales',
    ...styles,
    columns: { ...found, ...(joined === undefined ? {} : { occurredAt: joined }) },
    pricesIncludeVat: SAY,
    tillId: 'SHOP',
    defaultCategory: 'standard',
    ...(found['shipping'] === undefined ? {} : { shippingCategory: 'standard' }),
    notRead: unused.filter((name) => name !== separate && name !== described && !isMoneyName(name)),
  };
  const money = unused.filter(isMoneyName).map((name) => `"${name}"`);
  if (money.length > 0) {
    notes.push(`columns that may hold money, each to be named under "columns" or "notRead": ${money.join(', ')}`);
  }
  return { mapping, notes };
}

const SALES_KINDS: Readonly<Record<string, string>> = {
  occurredAt: 'date',
  unitPrice: 'pence',
  lineAmount: 'pence',
  orderDiscount: 'pence',
  lineDiscount: 'pence',
  shipping: 'pence',
  refunded: 'pence',
};

function matched(columns: readonly string[], names: Names) {
  const found: Record<string, string> = {};
  const left = new Set(columns.filter((name) => name !== ''));
  for (const [field, pattern] of Object.entries(names)) {
    const column = [...left].find((name) => pattern.test(plain(name)));
    if (column === undefined) continue;
    found[field] = column;
    left.delete(column);
  }
  return { found, unused: [...left] };
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[_\-./]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The first style by which every date, and every amount, of the rows can be read. */
function stylesOf(
  rows: readonly Row[],
  found: Readonly<Record<string, string>>,
  kindOf: (field: string) => string | undefined,
) {
  const textsOf = (kind: string): readonly string[] =>
    Object.entries(found)
      .filter(([field]) => kindOf(field) === kind)
      .flatMap(([, column]) => rows.map(({ values }) => (values[column] ?? '').trim()))
      .filter((text) => text !== '');
  const dates = DATE_STYLES.find((style) => textsOf('date').every((text) => dayOfTime(text, style) !== null));
  const amounts = AMOUNT_STYLES.find((style) => textsOf('pence').every((text) => isAmount(text, style)));
  return { dates: dates ?? ('YYYY-MM-DD' satisfies DateStyle), amounts: amounts ?? ('1234.56' satisfies AmountStyle) };
}

function isAmount(text: string, style: AmountStyle): boolean {
  try {
    amountOf(text, style);
    return true;
  } catch {
    return false;
  }
}

/** What the file's words most likely mean: those alone that are known, since any other could be of a person. */
function wordsOf(
  rows: readonly Row[],
  found: Readonly<Record<string, string>>,
): Record<string, Record<string, string | null>> {
  const values: Record<string, Record<string, string | null>> = {};
  for (const [field, words] of Object.entries(PAYROLL_WORDS)) {
    const column = found[field];
    if (column === undefined) continue;
    for (const text of new Set(rows.map((row) => (row.values[column] ?? '').trim()))) {
      const code = words.get(text.toLowerCase()) ?? (NONE_WORDS.has(text.toLowerCase()) ? null : undefined);
      if (code !== undefined) values[field] = { ...values[field], [text]: code };
    }
  }
  return values;
}
