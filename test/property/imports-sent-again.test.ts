import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ImportWorld } from '../support/import-world.ts';

const SALES = {
  kind: 'sales',
  columns: {
    invoice: 'receipt',
    code: 'sku',
    quantity: 'qty',
    unitPrice: 'price',
    occurredAt: 'time',
    occurrence: 'line',
  },
  pricesIncludeVat: true,
  tillId: 'SHOP1',
  categories: [{ code: 'FOOD', category: 'food.basic' }],
  discounts: ['DISC'],
  defaultCategory: 'standard',
};
const SALES_HEAD = 'receipt,sku,qty,price,time,line';
const PAYROLL_HEAD =
  'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan,number';
const PAYROLL = {
  kind: 'payroll',
  columns: {
    payeReference: 'paye_reference',
    worksNumber: 'works_number',
    paymentDate: 'payment_date',
    payFrequency: 'pay_frequency',
    period: 'period',
    taxCode: 'tax_code',
    taxablePayPence: 'taxable_pay',
    nicableEarningsPence: 'nicable_earnings',
    niCategory: 'ni_category',
    occurrence: 'number',
  },
};

/** Receipts of one line or more; numbers come again on other days. */
const receipts = fc.uniqueArray(
  fc.record({
    number: fc.integer({ min: 1, max: 6 }),
    day: fc.integer({ min: 1, max: 28 }),
    lines: fc.array(fc.record({ sku: fc.constantFrom('MUG', 'FOOD'), pence: fc.integer({ min: 100, max: 99_999 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    discountPence: fc.integer({ min: 0, max: 99 }),
  }),
  { minLength: 1, maxLength: 12, selector: ({ number, day }) => `${number} ${day}` },
);

/** Payments of a month: some employees are paid twice on a day, and the file numbers those. */
const payments = fc.uniqueArray(
  fc.record({
    worksNumber: fc.integer({ min: 1, max: 5 }),
    number: fc.integer({ min: 1, max: 2 }),
    pence: fc.integer({ min: 1, max: 400_000 }),
  }),
  { minLength: 1, maxLength: 10, selector: ({ worksNumber, number }) => `${worksNumber} ${number}` },
);

/** Files that hold every part at least once, cut and ordered anyhow, some parts in several of them. */
function filesOf<T>(parts: readonly T[]): fc.Arbitrary<readonly (readonly T[])[]> {
  const part = fc.shuffledSubarray([...parts], { minLength: 1 });
  const whole = fc.shuffledSubarray([...parts], { minLength: parts.length });
  return fc
    .tuple(
      fc.array(part, { maxLength: 3 }),
      whole,
      fc.integer({ min: 0, max: parts.length }),
      fc.array(part, { maxLength: 2 }),
    )
    .map(([before, all, at, after]) =>
      [...before, all.slice(0, at), all.slice(at), ...after].filter((file) => file.length > 0),
    );
}

async function inWorld<Result>(run: (world: ImportWorld) => Promise<Result>): Promise<Result> {
  const world = new ImportWorld();
  try {
    return await run(world);
  } finally {
    world.dispose();
  }
}

const pounds = (pence: number): string => (pence / 100).toFixed(2);

it('any split and sending again of a file of sales, in any order of receipts and of their rows, gives the same liability', async () => {
  const cases = receipts.chain((all) => fc.record({ all: fc.constant(all), files: filesOf(all), seed: fc.integer() }));
  await fc.assert(
    fc.asyncProperty(cases, async ({ all, files, seed }) => {
      const rowsOf = ({ number, day, lines, discountPence }: (typeof all)[number]): readonly string[] => {
        const time = `2026-11-${String(day).padStart(2, '0')} 10:00:00`;
        const rows = lines.map(({ sku, pence }, index) => `${number},${sku},1,${pounds(pence)},${time},${index + 1}`);
        return discountPence === 0 ? rows : [...rows, `${number},DISC,1,-${pounds(discountPence)},${time},0`];
      };
      const fileOf = (part: readonly (typeof all)[number][], turned: boolean): string => {
        const rows = part.flatMap((receipt) => (turned ? [...rowsOf(receipt)].reverse() : rowsOf(receipt)));
        return [SALES_HEAD, ...rows, ''].join('\n');
      };
      const once = await inWorld(async (world) => {
        await world.sales(fileOf(all, false), { mapping: SALES });
        return world.heads;
      });
      const again = await inWorld(async (world) => {
        for (const [index, part] of files.entries()) {
          const summary = await world.sales(fileOf(part, ((seed >> (index % 30)) & 1) === 1), { mapping: SALES });
          expect(summary).toMatchObject({ rejections: [], flags: {}, read: part.length });
        }
        expect(world.events.map(({ seq }) => seq)).toEqual(world.events.map((_, index) => index + 1));
        return world.heads;
      });
      expect(again).toEqual(once);
    }),
    { numRuns: 40 },
  );
}, 120_000);

it('any split and sending again of a payroll file, in any order, pays each payment once', async () => {
  const cases = payments.chain((all) => fc.record({ all: fc.constant(all), files: filesOf(all) }));
  await fc.assert(
    fc.asyncProperty(cases, async ({ all, files }) => {
      const fileOf = (part: readonly (typeof all)[number][]): string => {
        const rows = part.map(
          ({ worksNumber, number, pence }) =>
            `902/DUP,W${worksNumber},,2026-11-27,M1,8,BR,,${pounds(pence)},${pounds(pence)},A,,,${number}`,
        );
        return [PAYROLL_HEAD, ...rows, ''].join('\n');
      };
      const run = (sent: readonly (readonly (typeof all)[number][])[]) =>
        inWorld(async (world) => {
          for (const part of sent) {
            const summary = await world.payroll(fileOf(part), { mapping: PAYROLL });
            expect(summary).toMatchObject({ rejections: [], read: part.length });
          }
          const { employerNics = 0, employeeNics = 0 } = world.heads;
          const paid = world.events.reduce((sum, event) => sum + Number(event['taxablePayPence']), 0);
          return { paid, payments: world.events.length, employerNics, employeeNics };
        });
      expect(await run(files)).toEqual(await run([all]));
    }),
    { numRuns: 40 },
  );
}, 120_000);
