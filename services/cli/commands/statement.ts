import { chmodSync, createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Table from 'cli-table3';
import { accountForUrl, accountFromUrl } from '../../../libs/core/identity/account.ts';
import { formatPence, pence } from '../../../libs/core/money/pence.ts';
import { formatPenceSum, type PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';
import { monthStatement } from './month-statement.ts';

export interface StatementOptions extends ReachOptions {
  readonly entries?: boolean;
  readonly export?: string;
  readonly month?: string;
  readonly aoReference?: string;
}

/** As the payer node's `GET /payer/v1/accounts/{account}/statement` answers (services/payer-node/views/account-statement.ts). */
interface Statement {
  readonly account: string;
  readonly chain: string | null;
  readonly head: { readonly seq: number; readonly blockHash: string; readonly closed: string } | null;
  readonly acknowledgedSeq: number | null;
  readonly entriesSince0: number;
  readonly heads: Readonly<Record<string, number>>;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  readonly balancePence: PenceSum;
  readonly unconfirmedPence: PenceSum;
  readonly haltedBy: number | null;
  readonly entries: readonly StatementEntry[];
  readonly olderBefore: number | null;
}

interface StatementEntry {
  readonly seq: number;
  readonly entry: number;
  readonly closed: string;
  readonly eventId: string;
  readonly kind: string;
  readonly taxPeriod: string;
  readonly basePence: number;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  readonly flags: readonly string[];
}

/** `tally statement ACCOUNT`. Exit code 1 where the chain is stopped by a divergence. */
export async function statement(accountText: string, options: StatementOptions): Promise<void> {
  const { month } = options;
  if (month !== undefined) {
    await monthStatement(accountText, { ...options, month });
    return;
  }
  const owner = accountFromUrl(accountText);
  const path = `/payer/v1/accounts/${encodeURIComponent(accountForUrl(owner))}`;
  const client = clientOf(options);
  if (options.export !== undefined) {
    const response = await client.download(`${path}/copy`);
    if (response.body !== null) {
      await pipeline(Readable.fromWeb(response.body as never), createPrivateFile(options.export));
    }
    console.log(
      options.json === true
        ? JSON.stringify({ file: options.export })
        : `the copy is in ${options.export}: check it with "tally verify ${options.export}"`,
    );
    return;
  }
  const limit = options.entries === true ? 1_000 : 0;
  const answer = await client.call<Statement>('GET', `${path}/statement?limit=${limit}`);
  if (answer.haltedBy !== null) process.exitCode = 1;
  if (options.json === true) {
    console.log(JSON.stringify(answer));
    return;
  }
  printTotals(answer);
  if (options.entries === true) printEntries(answer);
}

function printTotals(answer: Statement): void {
  console.log(`${answer.account}   chain ${answer.chain ?? 'not yet registered'}`);
  if (answer.head === null) console.log('no block yet');
  else printFigures(answer, answer.head);
  if (answer.haltedBy !== null) {
    console.log(
      `THIS CHAIN IS STOPPED by divergence ${answer.haltedBy}: GET /payer/v1/divergences shows both versions`,
    );
  }
}

function printFigures(answer: Statement, head: NonNullable<Statement['head']>): void {
  console.log(`newest block ${head.seq}, closed ${head.closed}, countersigned to ${answer.acknowledgedSeq ?? 'none'}`);
  const table = new Table({ head: ['', '£'], colAligns: ['left', 'right'], style: { head: [], border: [] } });
  for (const [head, amount] of Object.entries(answer.heads)) table.push([wordsOf(head), formatPence(pence(amount))]);
  table.push(['charges', formatPenceSum(answer.chargesPence)]);
  table.push(['paid', formatPenceSum(answer.paymentsPence)]);
  table.push(['balance owed', formatPenceSum(answer.balancePence)]);
  console.log(table.toString());
  console.log(`${answer.entriesSince0} entries`);
}

function printEntries(answer: Statement): void {
  const table = new Table({
    head: ['block.entry', 'closed', 'kind', 'period', 'base £', 'amounts £', 'event', 'flags'],
    style: { head: [], border: [] },
  });
  for (const entry of answer.entries) {
    const amounts = entry.amounts.map(({ head, pence: amount }) => `${wordsOf(head)} ${formatPence(pence(amount))}`);
    const base = formatPence(pence(entry.basePence));
    table.push([
      `${entry.seq}.${entry.entry}`,
      entry.closed,
      entry.kind,
      entry.taxPeriod,
      base,
      amounts.join('\n'),
      entry.eventId,
      entry.flags.join('\n'),
    ]);
  }
  console.log(table.toString());
  if (answer.olderBefore !== null) console.log('older entries are in the copy: --export FILE');
}

/** `employeeNics` as `employee nics`. */
function wordsOf(head: string): string {
  return head.replace(/([A-Z]|\d\w)/g, ' $1').toLowerCase();
}

/** A copy is for its owner alone (0600), also where it is written over a file that was readable to others. */
function createPrivateFile(file: string): WriteStream {
  if (existsSync(file)) chmodSync(file, 0o600);
  return createWriteStream(file, { mode: 0o600 });
}
