import { z } from 'zod';
import { nearestName } from '../../../libs/core/encoding/nearest-name.ts';
import { PAYROLL_FIELDS } from './payroll-fields.ts';
import { column, fileStyle, readMapping } from './read-mapping.ts';
import { namedColumns } from './sales-mapping.ts';

const value = z.union([z.string(), z.boolean(), z.number()]);

const payrollMapping = z.strictObject({
  kind: z.literal('payroll'),
  ...fileStyle,
  /** Column of the file for each field of a payment (docs/http-api.md), `starter.p45PayPence` for one within; `occurrence` beside them. */
  columns: z.record(z.string(), column),
  /** Values that hold for every row where no column gives them. */
  constants: z.record(z.string(), value).default({}),
  /** What the words of the file mean, by field: `{"payFrequency": {"Monthly": "M1"}}`; null for a word that means nothing is there. */
  values: z.record(z.string(), z.record(z.string(), value.nullable())).default({}),
  /** Fields that are always what another is: `{"nicableEarningsPence": "taxablePayPence"}`. */
  sameAs: z.record(z.string(), z.string()).default({}),
  /** Whether the tax week or month is that of the pay day, where no column gives it. */
  periodOfPayDay: z.boolean().default(false),
});

export type PayrollMapping = z.infer<typeof payrollMapping>;

/** Sets apart several payments of one employment on one day. */
export const OCCURRENCE = 'occurrence';

const REQUIRED_FIELDS = [
  'payeReference',
  'worksNumber',
  'paymentDate',
  'payFrequency',
  'period',
  'taxCode',
  'taxablePayPence',
  'nicableEarningsPence',
  'niCategory',
];

/**
 * Reads the mapping of `tally import payroll`, with the employer's PAYE reference where that is said apart. Throws FILE_UNREADABLE and
 * MAPPING_INVALID naming every fault.
 */
export async function readPayrollMapping(named: string, payeReference?: string): Promise<PayrollMapping> {
  const employer = payeReference === undefined ? {} : { payeReference };
  const withEmployer = (mapping: PayrollMapping): PayrollMapping => ({
    ...mapping,
    constants: { ...mapping.constants, ...employer },
  });
  const read = await readMapping<PayrollMapping>(named, payrollMapping, (mapping) => [
    ...unknownFields(mapping),
    ...lacking(withEmployer(mapping)),
  ]);
  return withEmployer(read);
}

/** The columns that a file must have for a mapping. */
export function payrollColumns(mapping: PayrollMapping): readonly string[] {
  return namedColumns(mapping).filter((name) => !mapping.optionalColumns.includes(name));
}

function unknownFields({ columns, constants, values, sameAs }: PayrollMapping): readonly string[] {
  const parts = { columns, constants, values, sameAs };
  return Object.entries(parts).flatMap(([part, of]) =>
    Object.keys(of).flatMap((field) => {
      if (PAYROLL_FIELDS.has(field) || (part === 'columns' && field === OCCURRENCE)) return [];
      const near = nearestName(field, PAYROLL_FIELDS.keys());
      const meant = near === null ? ': docs/http-api.md lists the fields' : `: is "${near}" meant?`;
      return [`/${part}/${field}: a payment has no such field${meant}`];
    }),
  );
}

function lacking({ columns, constants, sameAs, periodOfPayDay }: PayrollMapping): readonly string[] {
  const given = new Set([...Object.keys(columns), ...Object.keys(constants), ...Object.keys(sameAs)]);
  if (periodOfPayDay) given.add('period');
  return REQUIRED_FIELDS.filter((field) => !given.has(field)).map(
    (field) => `${field}: ${REMEDIES[field] ?? ANY_REMEDY}`,
  );
}

const ANY_REMEDY = 'it is needed: name its column under "columns", or one value for all rows under "constants"';
const REMEDIES: Readonly<Record<string, string>> = {
  nicableEarningsPence:
    'name the column of earnings for National Insurance; where they are always the taxable pay, say "sameAs": {"nicableEarningsPence": "taxablePayPence"}',
  period: 'name the column of the tax week or month; where it is that of the pay day, say "periodOfPayDay": true',
  payeReference: 'name its column, or say it for the whole file: --paye-reference 123/AB456',
};
