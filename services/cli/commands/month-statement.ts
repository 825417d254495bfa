import Table from 'cli-table3';
import { accountForUrl, accountFromUrl } from '../../../libs/core/identity/account.ts';
import { formatPence, pence } from '../../../libs/core/money/pence.ts';
import { citationOf } from '../../../libs/core/paye/month/rule-sources.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';

export interface MonthOptions extends ReachOptions {
  /** `2026-27-M08`. */
  readonly month: string;
  /** The 13 characters of the Accounts Office reference, for the payment reference. */
  readonly aoReference?: string;
  readonly entries?: boolean;
}

interface Due {
  readonly netDuePence: number;
  readonly broughtForwardPence: number;
  readonly payablePence: number;
  readonly carriedForwardPence: number;
  readonly duePost: string;
  readonly dueElectronic: string;
  readonly payByPost: string | null;
  readonly payByElectronic: string | null;
  readonly referenceSuffix: string;
}

/** As the payer node answers (services/payer-node/paye/month-view.ts). */
interface MonthAnswer {
  readonly account: string;
  readonly taxPeriod: string;
  readonly from: string;
  readonly to: string;
  readonly receivedUntil: string;
  readonly paymentCount: number;
  readonly taxablePayPence: number;
  readonly paymentReference: string | null;
  readonly bill: Due & {
    readonly lines: readonly {
      readonly head: string;
      readonly text: string;
      readonly pence: number;
      readonly rule: string;
    }[];
    readonly quarter: Due & { readonly mayPayQuarterly: boolean };
  };
  readonly differences: readonly {
    readonly head: string;
    readonly cause: string;
    readonly payments: number;
    readonly pence: number;
  }[];
  readonly payments: readonly {
    readonly worksNumber: string;
    readonly paymentDate: string;
    readonly taxCode: string;
    readonly niCategory: string;
    readonly taxablePayPence: number;
    readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  }[];
  readonly nextAfter: number | null;
}

/** `tally statement ACCOUNT --month 2026-27-M08`: an employer's tax month and how its bill came about. */
export async function monthStatement(accountText: string, options: MonthOptions): Promise<void> {
  const ref = encodeURIComponent(accountForUrl(accountFromUrl(accountText)));
  const query = new URLSearchParams({ limit: options.entries === true ? '1000' : '0' });
  if (options.aoReference !== undefined) query.set('accountsOfficeReference', options.aoReference);
  const path = `/payer/v1/paye/accounts/${ref}/months/${encodeURIComponent(options.month)}`;
  const answer = await clientOf(options).call<MonthAnswer>('GET', `${path}?${query}`);
  if (options.json === true) {
    console.log(JSON.stringify(answer));
    return;
  }
  printBill(answer);
  printDifferences(answer);
  if (options.entries === true) printPayments(answer);
}

function printBill({ account, taxPeriod, from, to, receivedUntil, bill, ...answer }: MonthAnswer): void {
  console.log(`${account}   ${taxPeriod}, ${from} to ${to}, open to what is received by ${receivedUntil}`);
  console.log(`${answer.paymentCount} payments, taxable pay ${pounds(answer.taxablePayPence)}`);
  const table = new Table({
    head: ['working', '£', 'rule'],
    colAligns: ['left', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { text, pence: amount, rule } of bill.lines) table.push([text, pounds(amount), rule]);
  table.push(['net due', pounds(bill.netDuePence), citationOf('7.1')]);
  if (bill.broughtForwardPence > 0)
    table.push(['credit of earlier months', pounds(-bill.broughtForwardPence), citationOf('7.1')]);
  table.push(['payable', pounds(bill.payablePence), citationOf('7.1')]);
  console.log(table.toString());
  if (bill.carriedForwardPence > 0) console.log(`credit carried forward ${pounds(bill.carriedForwardPence)}`);
  console.log(payByText(bill));
  const reference = answer.paymentReference ?? `your Accounts Office reference and ${bill.referenceSuffix}`;
  console.log(`payment reference: ${reference}`);
  if (bill.quarter.mayPayQuarterly) {
    const { payablePence, dueElectronic, referenceSuffix } = bill.quarter;
    console.log(
      `paying quarterly: ${pounds(payablePence)} so far, by ${dueElectronic}, reference ends ${referenceSuffix}`,
    );
  }
}

/** Where a year's bank holidays are not known, the nominal days alone. */
function payByText({ duePost, dueElectronic, payByPost, payByElectronic }: MonthAnswer['bill']): string {
  const [post, electronic] = [payByPost ?? duePost, payByElectronic ?? dueElectronic];
  if (payByElectronic === null) {
    return `pay by ${post} by post, ${electronic} cleared electronically (the working day before, where none)`;
  }
  const faster = electronic === dueElectronic ? '' : `, by Faster Payment on ${dueElectronic}`;
  return `pay by ${post} by post, ${electronic} cleared electronically${faster}`;
}

function printDifferences({ differences }: MonthAnswer): void {
  if (differences.length === 0) return;
  console.log('stated otherwise than assessed:');
  for (const { head, cause, payments, pence: amount } of differences) {
    console.log(`  ${wordsOf(head)}: ${cause}, ${payments} payments, ${amount > 0 ? '+' : ''}${pounds(amount)}`);
  }
}

function printPayments({ payments, nextAfter }: MonthAnswer): void {
  const table = new Table({
    head: ['works number', 'paid', 'code', 'letter', 'taxable £', 'amounts £'],
    style: { head: [], border: [] },
  });
  for (const { worksNumber, paymentDate, taxCode, niCategory, taxablePayPence, amounts } of payments) {
    const due = amounts.map(({ head, pence: amount }) => `${wordsOf(head)} ${pounds(amount)}`).join('\n');
    table.push([worksNumber, paymentDate, taxCode, niCategory, pounds(taxablePayPence), due]);
  }
  console.log(table.toString());
  if (nextAfter !== null) console.log(`more payments: GET …/months/…?after=${nextAfter}`);
}

function pounds(amount: number): string {
  return formatPence(pence(amount));
}

/** `employeeNics` as `employee nics`. */
function wordsOf(head: string): string {
  return head.replace(/([A-Z]|\d\w)/g, ' $1').toLowerCase();
}
