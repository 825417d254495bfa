import Table from 'cli-table3';
import { accountForUrl, accountFromUrl } from '../../../libs/core/identity/account.ts';
import { formatPence, pence } from '../../../libs/core/money/pence.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';

export interface PayslipOptions extends ReachOptions {
  readonly taxYear?: string;
}

/** As the payer node answers (services/payer-node/paye/paye-router.ts). */
interface PayslipAnswer {
  readonly account: string;
  readonly worksNumber: string;
  readonly taxYear: string;
  readonly toDate: Readonly<Record<string, number>>;
  readonly payslips: readonly Payslip[];
}

interface Payslip {
  readonly eventId: string;
  readonly paymentDate: string;
  readonly payFrequency: string;
  readonly period: number;
  readonly taxPeriod: string;
  readonly taxCode: string;
  readonly week1Month1: boolean;
  readonly niCategory: string;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  readonly working: readonly {
    readonly head: string;
    readonly text: string;
    readonly pence: number;
    readonly rule: string;
  }[];
  readonly stated: readonly StatedDifference[];
  /** Absent from a node of an earlier release. */
  readonly toDate?: readonly ToDateDifference[];
  readonly flags: readonly string[];
  readonly entry: { readonly seq: number; readonly position: number };
}

interface ToDateDifference {
  readonly figure: string;
  readonly statedPence: number;
  readonly ownPence: number;
  readonly differencePence: number;
}

interface StatedDifference {
  readonly head: string;
  readonly statedPence: number;
  readonly assessedPence: number;
  readonly differencePence: number;
  readonly cause: string;
}

/** `tally payslip ACCOUNT WORKSNUMBER [DATE|EVENTID]`. Exit code 1 where the employer stated something else than was assessed. */
export async function payslip(
  accountText: string,
  worksNumber: string,
  which: string | undefined,
  options: PayslipOptions,
): Promise<void> {
  const ref = encodeURIComponent(accountForUrl(accountFromUrl(accountText)));
  const year = options.taxYear === undefined ? '' : `?taxYear=${encodeURIComponent(options.taxYear)}`;
  const path = `/payer/v1/paye/accounts/${ref}/employments/${encodeURIComponent(worksNumber)}`;
  const chosen = encodeURIComponent(which ?? 'latest');
  const answer = await clientOf(options).call<PayslipAnswer>('GET', `${path}/payslips/${chosen}${year}`);
  if (answer.payslips.some(({ stated }) => stated.length > 0)) process.exitCode = 1;
  if (options.json === true) {
    console.log(JSON.stringify(answer));
    return;
  }
  for (const one of answer.payslips) printPayslip(answer, one);
  console.log(`to date in ${answer.taxYear}:`);
  const toDate = Object.entries(answer.toDate).filter(([, amount]) => amount !== 0);
  for (const [name, amount] of toDate) console.log(`  ${wordsOf(name.replace(/Pence$/, ''))} ${pounds(amount)}`);
}

function printPayslip({ account, worksNumber }: PayslipAnswer, one: Payslip): void {
  const basis = one.week1Month1 ? ' week 1/month 1' : '';
  console.log(`${account}   ${worksNumber}   paid ${one.paymentDate}   ${one.payFrequency} ${one.period}`);
  console.log(`code ${one.taxCode}${basis}, NI letter ${one.niCategory}, charged in ${one.taxPeriod}`);
  const working = new Table({
    head: ['', 'working', '£', 'rule'],
    colAligns: ['left', 'left', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { head, text, pence: amount, rule } of one.working) {
    working.push([wordsOf(head), text, pounds(amount), rule]);
  }
  console.log(working.toString());
  const due = one.amounts.map(({ head, pence: amount }) => `${wordsOf(head)} ${pounds(amount)}`).join(', ');
  console.log(`due: ${due === '' ? 'nothing' : due}`);
  for (const { head, statedPence, assessedPence, cause } of one.stated) {
    console.log(
      `STATED OTHERWISE: ${wordsOf(head)} ${pounds(statedPence)}, assessed ${pounds(assessedPence)}: ${cause}`,
    );
  }
  for (const { figure, statedPence, ownPence, differencePence } of one.toDate ?? []) {
    const what = wordsOf(figure.replace(/Pence$/, ''));
    console.log(
      `TO DATE: ${what} stated ${pounds(statedPence)}, here ${pounds(ownPence)}: differs by ${pounds(differencePence)}`,
    );
  }
  if (one.flags.length > 0) console.log(`flags: ${one.flags.join(' ')}`);
  console.log(`event ${one.eventId}, entry ${one.entry.position} of block ${one.entry.seq}`);
}

function pounds(amount: number): string {
  return formatPence(pence(amount));
}

/** `employeeNics` as `employee nics`. */
function wordsOf(head: string): string {
  return head.replace(/([A-Z]|\d\w)/g, ' $1').toLowerCase();
}
