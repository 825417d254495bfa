import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { type EventId, eventId as eventIdOf } from '../../libs/core/identity/event-id.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { vatRateOn } from '../../libs/core/vat/rates/vat-rules.ts';
import { ServiceClient } from '../../services/cli/client/service-client.ts';
import type { ImportedDocument, ImportedEvent } from '../../services/cli/documents/imported-document.ts';
import { CreditMatcher } from '../../services/cli/documents/match-credit-notes.ts';
import { countInvoiceRows, salesDocuments } from '../../services/cli/documents/sales-file.ts';
import { type ImportSummary, runImport } from '../../services/cli/import/run-import.ts';
import { TillNumbers } from '../../services/cli/import/till-numbers.ts';
import { readSalesMapping } from '../../services/cli/mapping/sales-mapping.ts';

export interface PacedImportOptions {
  /** Of the running services. */
  readonly dataDir: string;
  /** Rows of Online Retail: more than will be needed. */
  readonly file: string;
  /** Each sells all of it. */
  readonly vrns: readonly string[];
  readonly invoicesPerSecond: number;
}

export interface PacedImport {
  /** Events given to the payer's node, by account. */
  readonly sent: ReadonlyMap<Account, readonly EventId[]>;
  /** Sends no more; resolves once everything is decided and in the payer's copy. Throws IMPORT_STALLED. */
  finish(): Promise<ImportSummary>;
}

/**
 * An import of real sales, as `tally import sales` does it, that goes on at an even pace until it is told to finish: whatever happens
 * meanwhile happens in the middle of it. Throws where the file ends before that.
 */
export async function startPacedImport(options: PacedImportOptions): Promise<PacedImport> {
  const { dataDir, file, vrns } = options;
  const { vat } = loadTaxRules();
  const mapping = await readSalesMapping('docs/mappings/online-retail.json', vat);
  const rowsOf = await countInvoiceRows({ file, mapping });
  const sent = new Map<Account, EventId[]>();
  let isOver = false;
  const sources = vrns.map((vrn) =>
    salesDocuments(
      { file, mapping },
      {
        mapping,
        vrn,
        rateOf: (category, date) => vatRateOn(vat, category, date, 'GB'),
        matcher: new CreditMatcher(),
      },
      rowsOf,
    ),
  );
  async function* paced(): AsyncGenerator<ImportedDocument> {
    const startedMs = performance.now();
    for (let count = 0; !isOver; count += 1) {
      const at = count % vrns.length;
      const next = await sources[at]?.next();
      if (next === undefined || next.done === true)
        throw new Error(`the file ended before the test: ${count} invoices`);
      yield next.value;
      const dueMs = startedMs + (count / options.invoicesPerSecond) * 1_000;
      if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    }
  }
  const client = new ServiceClient({ dataDir });
  const onSending = (events: readonly ImportedEvent[]): void => {
    for (const { vrn, eventId } of events) {
      const account: Account = `vat:${String(vrn)}`;
      sent.set(account, [...(sent.get(account) ?? []), eventIdOf(String(eventId))]);
    }
  };
  const till = new TillNumbers((event) => tillEventHash(event, (data) => createHash('sha256').update(data).digest()));
  const running = runImport(
    {
      tax: 'vat',
      documents: paced(),
      corrections: 'refuse',
      till,
      onSending,
      onProgress: () => undefined,
      clock: systemClock,
    },
    client,
  );
  // Told when it happens, and again at the end: a test that waits for what the import brings about would wait in vain.
  running.catch((error: unknown) => console.error('the import ended', error));
  return {
    sent,
    finish: async () => {
      isOver = true;
      return await running;
    },
  };
}
