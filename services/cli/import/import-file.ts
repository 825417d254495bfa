import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { loadTaxRules } from '../../../libs/adapters/rules/load-rules.ts';
import { onEndSignals } from '../../../libs/adapters/runtime/end-signals.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import { readVrn } from '../../../libs/core/identity/vrn.ts';
import { tillEventHash } from '../../../libs/core/vat/check/till-event-hash.ts';
import { vatRateOn } from '../../../libs/core/vat/rates/vat-rules.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';
import { EXIT_COULD_NOT } from '../input/say-failure.ts';
import { readRows } from '../rows/read-rows.ts';
import { payrollDocuments } from './payroll-file.ts';
import { type ImportProgress, type ImportSummary, runImport } from './run-import.ts';
import { countInvoiceRows, type ImportedDocument, salesDocuments } from './sales-file.ts';
import { readPayrollMapping, readSalesMapping } from './sales-mapping.ts';

export interface ImportFileOptions extends ReachOptions {
  readonly mapping: string;
  readonly vrn?: string;
  readonly rejects?: string;
}

const REJECTIONS_SHOWN_MAX = 20;

/** `tally import sales FILE`. Throws MAPPING_INVALID, COLUMN_MISSING, VRN_INVALID, NOT_RUNNING and what the service answers. */
export async function importSales(file: string, options: ImportFileOptions): Promise<void> {
  const mapping = await readSalesMapping(options.mapping);
  const vrn = vrnOf(options.vrn ?? '');
  const rowsOf = await beforeSending(() => countInvoiceRows(file, mapping));
  const hashOf = (event: Record<string, unknown>): string => tillEventHash(event, sha256);
  const { vat } = loadTaxRules();
  const rateOf = (category: string, date: LocalDate) => vatRateOn(vat, category, date, 'GB');
  const documents = salesDocuments({ file, mapping, vrn, hashOf, rateOf }, rowsOf);
  await importDocuments('vat', documents, rowsOf.size, 'invoices', options);
}

/** `tally import payroll FILE`. Throws as importSales. */
export async function importPayroll(file: string, options: ImportFileOptions): Promise<void> {
  const mapping = await readPayrollMapping(options.mapping);
  const rows = await beforeSending(() => countRows(file, Object.values(mapping.columns)));
  await importDocuments('paye', payrollDocuments(file, mapping), rows, 'payments', options);
}

async function countRows(file: string, columns: readonly string[]): Promise<number> {
  let rows = 0;
  for await (const _row of readRows({ file, columns })) rows += 1;
  return rows;
}

/** The whole file is read once before anything of it is sent: a file that is damaged anywhere is told so then. */
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

async function importDocuments(
  tax: Tax,
  documents: AsyncIterable<ImportedDocument>,
  total: number,
  noun: string,
  options: ImportFileOptions,
): Promise<void> {
  const client = clientOf(options);
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
  let summary: ImportSummary;
  try {
    summary = await runImport({ tax, documents, onProgress, clock: systemClock }, client);
  } catch (error) {
    sayReached();
    throw error;
  } finally {
    progress.stop();
    release();
  }
  if (options.rejects !== undefined) await writeRejects(options.rejects, summary);
  print(summary, noun, options);
  if (summary.rejected > 0) process.exitCode = 1;
}

interface Progress {
  readonly update: (progress: ImportProgress) => void;
  readonly stop: () => void;
}

/** A bar on a terminal; elsewhere a plain line every few seconds; nothing but the result with --json. */
function progressOf(total: number, noun: string, quiet: boolean): Progress {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  if (process.stderr.isTTY) {
    const format = `{bar} {percentage}% | {value}/{total} ${noun} decided | {rejected} rejected | {duration_formatted}`;
    const bar = new SingleBar({ format, stream: process.stderr });
    bar.start(total, 0, { rejected: 0 });
    return {
      update: ({ accepted, rejected }) => bar.update(accepted + rejected, { rejected }),
      stop: () => bar.stop(),
    };
  }
  let saidMs = Number.NEGATIVE_INFINITY;
  return {
    update: ({ accepted, rejected }) => {
      if (systemClock.elapsedMs() - saidMs < 5_000) return;
      saidMs = systemClock.elapsedMs();
      process.stderr.write(`${accepted + rejected} of ${total} ${noun} decided, ${rejected} rejected\n`);
    },
    stop: () => undefined,
  };
}

async function writeRejects(file: string, summary: ImportSummary): Promise<void> {
  const stream = createWriteStream(file);
  for (const rejection of summary.rejections) stream.write(`${JSON.stringify(rejection)}\n`);
  stream.end();
  await once(stream, 'finish');
}

function print(summary: ImportSummary, noun: string, options: ImportFileOptions): void {
  if (options.json === true) {
    console.log(JSON.stringify(summary));
    return;
  }
  for (const rejection of summary.rejections.slice(0, REJECTIONS_SHOWN_MAX)) {
    console.log(`rejected ${rejection.name}: ${rejection.code}: ${rejection.reason}`);
  }
  const hidden = summary.rejections.length - REJECTIONS_SHOWN_MAX;
  if (hidden > 0) console.log(`… and ${hidden} more: give --rejects FILE for all of them`);
  const seconds = (summary.durationMs / 1000).toFixed(1);
  console.log(`${summary.events} events in ${seconds} s`);
  console.log(`${summary.accepted} accepted + ${summary.rejected} rejected = ${summary.read} read (${noun})`);
}
