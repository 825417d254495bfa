import { createHash } from 'node:crypto';
import { loadTaxRules } from '../../../libs/adapters/rules/load-rules.ts';
import { onEndSignals } from '../../../libs/adapters/runtime/end-signals.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import { readVrn } from '../../../libs/core/identity/vrn.ts';
import { tillEventHash } from '../../../libs/core/vat/check/till-event-hash.ts';
import { vatRateOn } from '../../../libs/core/vat/rates/vat-rules.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';
import type { ImportedDocument } from '../documents/imported-document.ts';
import { CreditMatcher } from '../documents/match-credit-notes.ts';
import { payrollDocuments, surveyPayroll } from '../documents/payroll-file.ts';
import { RememberedSales } from '../documents/remembered-sales.ts';
import { countInvoiceRows, salesDocuments } from '../documents/sales-file.ts';
import { UnreadColumns } from '../documents/unread-columns.ts';
import { EXIT_COULD_NOT } from '../input/say-failure.ts';
import { readPayrollMapping } from '../mapping/payroll-mapping.ts';
import { namedColumns, readSalesMapping } from '../mapping/sales-mapping.ts';
import type { Corrections } from './known-documents.ts';
import type { PayerNode } from './patient-call.ts';
import { printImport, printTrial, progressOf, writeRejects } from './print-import.ts';
import { type ImportProgress, type ImportSummary, runImport } from './run-import.ts';
import { type TillHead, TillNumbers } from './till-numbers.ts';
import { type Trial, trialImport } from './trial-import.ts';

export interface ImportFileOptions extends ReachOptions {
  readonly mapping: string;
  readonly vrn?: string;
  readonly rejects?: string;
  readonly encoding?: string;
  readonly equalRows?: 'ask' | 'count' | 'once';
  readonly corrections?: Corrections;
  readonly dryRun?: boolean;
  readonly payeReference?: string;
}

/** A file, read once, as what is to be imported. */
interface ToImport {
  readonly tax: Tax;
  readonly documents: AsyncIterable<ImportedDocument>;
  readonly total: number;
  readonly noun: string;
  readonly columnsNotRead: readonly string[];
  /** The till whose events they become; null where none sends them. */
  readonly till: { readonly vrn: string; readonly tillId: string } | null;
}

/** `tally import sales FILE`. Throws MAPPING_INVALID, VRN_INVALID, what readRows throws, NOT_RUNNING and what the service answers. */
export async function importSales(file: string, options: ImportFileOptions): Promise<void> {
  const rules = loadTaxRules();
  const read = await readSalesMapping(options.mapping, rules.vat);
  const mapping = { ...read, equalRows: options.equalRows ?? read.equalRows };
  const vrn = vrnOf(options.vrn ?? '');
  const unread = new UnreadColumns([...namedColumns(mapping), ...mapping.notRead]);
  const of = { file, mapping, encoding: options.encoding };
  const rowsOf = await beforeSending(() => countInvoiceRows(of, unread));
  const isDry = options.dryRun === true;
  const earlier =
    !isDry || RememberedSales.existIn(options.dataDir)
      ? new RememberedSales(options.dataDir, vrn, mapping.tillId)
      : undefined;
  const matcher = new CreditMatcher(earlier);
  const rateOf = (category: string, date: LocalDate) => vatRateOn(rules.vat, category, date, 'GB');
  const documents = salesDocuments(of, { mapping, vrn, rateOf, matcher }, rowsOf);
  const till = { vrn, tillId: mapping.tillId };
  try {
    const toImport = {
      tax: 'vat',
      documents,
      total: rowsOf.size,
      noun: 'invoices',
      columnsNotRead: unread.all,
      till,
    } as const;
    await importDocuments(toImport, options);
  } finally {
    if (!isDry) await earlier?.keep(matcher.takeChanged());
    await earlier?.close();
  }
}

/** `tally import payroll FILE`. Throws as importSales. */
export async function importPayroll(file: string, options: ImportFileOptions): Promise<void> {
  const read = await readPayrollMapping(options.mapping, options.payeReference);
  const mapping = { ...read, equalRows: options.equalRows ?? read.equalRows };
  const unread = new UnreadColumns([...namedColumns(mapping), ...mapping.notRead]);
  const of = { file, mapping, encoding: options.encoding };
  const survey = await beforeSending(() => surveyPayroll(of, unread));
  const documents = payrollDocuments(of, survey);
  const toImport = {
    tax: 'paye',
    documents,
    total: survey.rows,
    noun: 'payments',
    columnsNotRead: unread.all,
    till: null,
  } as const;
  await importDocuments(toImport, options);
}

/** The whole file is read once before anything of it is sent: a file that is damaged anywhere is refused then. */
async function beforeSending<Read>(read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw new TallyError(error.code, `${error.message}. Nothing of the file was sent`, error.facts, { cause: error });
  }
}

function vrnOf(text: string): string {
  const verdict = readVrn(text);
  if (verdict.valid && 'region' in verdict) return verdict.normalised.slice(0, 9);
  const reason = verdict.valid ? 'it is not a trader’s' : verdict.reason;
  throw new TallyError('VRN_INVALID', `"${text}" is not a VAT registration number of a trader: ${reason}`, { reason });
}

function sha256(data: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(data).digest();
}

async function importDocuments(toImport: ToImport, options: ImportFileOptions): Promise<void> {
  const { noun, columnsNotRead } = toImport;
  const summary =
    options.dryRun === true ? await tryOut(toImport, options) : await runToEnd(toImport, clientOf(options), options);
  if (options.rejects !== undefined) await writeRejects(options.rejects, summary.rejections);
  if (options.json === true) console.log(JSON.stringify({ ...summary, columnsNotRead }));
  else if ('owed' in summary) printTrial(summary, noun, columnsNotRead);
  else printImport(summary, noun, columnsNotRead);
  if (summary.rejected > 0) process.exitCode = 1;
}

/** Where no service runs, as if nothing had been imported before; that is said. */
async function tryOut({ tax, documents, till: of }: ToImport, options: ImportFileOptions): Promise<Trial> {
  const node = nodeIfRunning(options);
  const till = of === null ? {} : { till: await tillNumbersOf(node, of) };
  const corrections = options.corrections ?? 'refuse';
  return trialImport({ tax, documents, corrections, ...till, rules: loadTaxRules(), clock: systemClock }, node);
}

function nodeIfRunning(options: ImportFileOptions): PayerNode | null {
  try {
    return clientOf(options);
  } catch (error) {
    if (!hasCode(error, 'NOT_RUNNING')) throw error;
    process.stderr.write(
      'no Tallystick runs here: this is what the file would come to if nothing had been imported before\n',
    );
    return null;
  }
}

async function runToEnd(
  { tax, documents, total, noun, till: of }: ToImport,
  client: PayerNode,
  options: ImportFileOptions,
): Promise<ImportSummary> {
  const progress = progressOf(total, noun, options.json === true);
  let reached: ImportProgress = { read: 0, accepted: 0, rejected: 0 };
  const onProgress = (now: ImportProgress): void => {
    reached = now;
    progress.update(now);
  };
  const sayReached = (): void => {
    const { read, accepted, rejected } = reached;
    process.stderr.write(
      `until then ${read} ${noun} were read, ${accepted} accepted and ${rejected} rejected; the same import may be run again: nothing is counted twice\n`,
    );
  };
  const release = onEndSignals({
    end: () => {
      progress.stop();
      sayReached();
      process.exit(EXIT_COULD_NOT);
    },
    again: () => undefined,
  });
  try {
    const corrections = options.corrections ?? 'refuse';
    const till = of === null ? {} : { till: await tillNumbersOf(client, of) };
    return await runImport({ tax, documents, corrections, ...till, onProgress, clock: systemClock }, client);
  } catch (error) {
    sayReached();
    throw error;
  } finally {
    progress.stop();
    release();
  }
}

async function tillNumbersOf(
  client: PayerNode | null,
  { vrn, tillId }: { readonly vrn: string; readonly tillId: string },
) {
  const numbers = new TillNumbers((event) => tillEventHash(event, sha256));
  if (client === null) return numbers;
  numbers.goOnFrom(vrn, tillId, await client.call<TillHead>('GET', `/payer/v1/vat/${vrn}/tills/${tillId}`));
  return numbers;
}
