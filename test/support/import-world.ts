import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { eventOf, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import type { LocalDate } from '../../libs/core/calendar/local-date.ts';
import type { Assessment, StateValue } from '../../libs/core/decisions/decision.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../libs/core/identity/account.ts';
import { personToken } from '../../libs/core/identity/event-id.ts';
import { decideEvent } from '../../libs/core/tax/decide-event.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { vatRateOn } from '../../libs/core/vat/rates/vat-rules.ts';
import type { ImportedDocument } from '../../services/cli/documents/imported-document.ts';
import { CreditMatcher } from '../../services/cli/documents/match-credit-notes.ts';
import { payrollDocuments, surveyPayroll } from '../../services/cli/documents/payroll-file.ts';
import { RememberedSales } from '../../services/cli/documents/remembered-sales.ts';
import { countInvoiceRows, salesDocuments } from '../../services/cli/documents/sales-file.ts';
import { UnreadColumns } from '../../services/cli/documents/unread-columns.ts';
import type { Corrections } from '../../services/cli/import/known-documents.ts';
import type { PayerNode } from '../../services/cli/import/patient-call.ts';
import { type ImportSummary, runImport } from '../../services/cli/import/run-import.ts';
import { type TillHead, TillNumbers } from '../../services/cli/import/till-numbers.ts';
import { type Trial, trialImport } from '../../services/cli/import/trial-import.ts';
import { readPayrollMapping } from '../../services/cli/mapping/payroll-mapping.ts';
import { namedColumns, readSalesMapping } from '../../services/cli/mapping/sales-mapping.ts';

const RECEIVED_AT_MS = Date.UTC(2026, 10, 30, 12);
const sha256 = (data: Uint8Array | string): Uint8Array => createHash('sha256').update(data).digest();

interface Sent {
  readonly text: string;
  readonly status: 'decided' | 'rejected';
  readonly code?: string;
  readonly flags: readonly string[];
}

interface Options {
  /** A mapping, or the name of a shipped one. */
  readonly mapping?: object | string;
  readonly payeReference?: string;
  readonly vrn?: string;
  readonly encoding?: string;
  readonly equalRows?: 'ask' | 'count' | 'once';
  readonly corrections?: Corrections;
}

interface Parts {
  readonly documents: AsyncIterable<ImportedDocument>;
  readonly till?: TillNumbers;
}

/**
 * Imports against a payer's node of the test's own memory, which reads events as the real door does and decides on them at once by the
 * product's own decisions: files, mappings, comparing and sending are the product's.
 */
export class ImportWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'tallystick-import-'));
  readonly rules = loadTaxRules();
  readonly results: Assessment[] = [];
  readonly #state = new Map<string, StateValue>();
  readonly #sent = new Map<string, Sent>();
  readonly #heads = new Map<string, TillHead>();
  #files = 0;

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Pence by head of everything that was accepted. */
  get heads(): Readonly<Record<string, number>> {
    const heads: Record<string, number> = {};
    for (const { amounts } of this.results) {
      for (const { head, pence } of amounts) heads[head] = (heads[head] ?? 0) + pence;
    }
    return heads;
  }

  /** Every event that was taken, as it was sent. */
  get events(): readonly Record<string, unknown>[] {
    return [...this.#sent.values()].map(({ text }) => JSON.parse(text) as Record<string, unknown>);
  }

  get state(): { readonly get: (key: string) => StateValue | undefined } {
    return { get: (key) => this.#state.get(key) };
  }

  write(content: string | Buffer): string {
    this.#files += 1;
    const file = join(this.folder, `file-${this.#files}`);
    writeFileSync(file, content);
    return file;
  }

  /** `tally import sales` of this content. */
  async sales(content: string | Buffer, options: Options): Promise<ImportSummary> {
    return this.#withSales(content, options, (parts) => this.#run('vat', parts, options.corrections));
  }

  /** `tally import sales --dry-run`. */
  async trySales(content: string | Buffer, options: Options): Promise<Trial> {
    return this.#withSales(content, options, (parts) => this.#try('vat', parts, options.corrections));
  }

  /** `tally import payroll` of this content. */
  async payroll(content: string | Buffer, options: Options = {}): Promise<ImportSummary> {
    return this.#run('paye', await this.#payrollParts(content, options), options.corrections);
  }

  /** `tally import payroll --dry-run`. */
  async tryPayroll(content: string | Buffer, options: Options = {}): Promise<Trial> {
    return this.#try('paye', await this.#payrollParts(content, options), options.corrections);
  }

  async #withSales<Result>(
    content: string | Buffer,
    { mapping = {}, vrn = '101747696', encoding, equalRows }: Options,
    run: (parts: Parts) => Promise<Result>,
  ): Promise<Result> {
    const read = await readSalesMapping(this.#named(mapping), this.rules.vat);
    const of = { file: this.write(content), mapping: { ...read, equalRows: equalRows ?? read.equalRows }, encoding };
    const rowsOf = await countInvoiceRows(of, new UnreadColumns([...namedColumns(read), ...read.notRead]));
    const earlier = new RememberedSales(this.folder, vrn, read.tillId);
    const matcher = new CreditMatcher(earlier);
    const rateOf = (category: string, date: LocalDate) => vatRateOn(this.rules.vat, category, date, 'GB');
    const till = new TillNumbers((event) => tillEventHash(event, sha256));
    till.goOnFrom(vrn, read.tillId, this.#heads.get(`${vrn} ${read.tillId}`) ?? { seq: 0, hash: null });
    const documents = salesDocuments(of, { mapping: of.mapping, vrn, rateOf, matcher }, rowsOf);
    const result = await run({ documents, till });
    await earlier.keep(matcher.takeChanged());
    await earlier.close();
    return result;
  }

  async #payrollParts(content: string | Buffer, { mapping = 'payroll', encoding, equalRows, payeReference }: Options) {
    const read = await readPayrollMapping(this.#named(mapping), payeReference);
    const of = { file: this.write(content), mapping: { ...read, equalRows: equalRows ?? read.equalRows }, encoding };
    return { documents: payrollDocuments(of, await surveyPayroll(of)) };
  }

  #named(mapping: object | string): string {
    return typeof mapping === 'string' ? mapping : this.write(JSON.stringify(mapping));
  }

  #run(tax: Tax, parts: Parts, corrections: Corrections = 'refuse'): Promise<ImportSummary> {
    const options = { tax, ...parts, corrections, onProgress: () => undefined, clock: systemClock };
    return runImport(options, this.#node(tax));
  }

  #try(tax: Tax, parts: Parts, corrections: Corrections = 'refuse'): Promise<Trial> {
    return trialImport({ tax, ...parts, corrections, rules: this.rules, clock: systemClock }, this.#node(tax));
  }

  #node(tax: Tax): PayerNode {
    return {
      call: async <T>(_method: string, path: string, body?: unknown): Promise<T> => {
        if (path.endsWith('/status')) return this.#statuses(body as StatusRequest) as T;
        if (path.endsWith('/state')) return this.#values(body as { readonly keys: readonly string[] }) as T;
        return this.#take(tax, body as readonly unknown[]) as T;
      },
    };
  }

  #values({ keys }: { readonly keys: readonly string[] }): object {
    return { values: Object.fromEntries(keys.map((key) => [key, this.#state.get(key) ?? null])) };
  }

  #statuses({ eventIds, bodies }: StatusRequest): object {
    const statuses: Record<string, object> = {};
    for (const id of eventIds) {
      const sent = this.#sent.get(id);
      if (sent === undefined) continue;
      const { text, ...line } = sent;
      statuses[id] = bodies === true ? { ...line, event: JSON.parse(text) as unknown } : line;
    }
    return { statuses };
  }

  #take(tax: Tax, events: readonly unknown[]): object {
    const { drafts, faults } = readSubmissions(tax, events, this.rules);
    const texts = events.map((event) => JSON.stringify(event));
    const conflicts = (events as readonly { readonly eventId: string }[]).flatMap(({ eventId }, index) => {
      const known = this.#sent.get(eventId)?.text;
      if (known === undefined || known === texts[index]) return [];
      return [{ code: 'EVENT_ID_CONFLICT', pointer: `/${index}/eventId`, detail: 'known with another body' }];
    });
    const all = [...faults, ...conflicts];
    if (all.length > 0) throw new TallyError('INPUT_INVALID', 'nothing was queued', { faults: all });
    for (const draft of drafts) {
      const event = eventOf(draft, {
        receivedAtMs: RECEIVED_AT_MS,
        person: personToken(
          createHash('md5')
            .update(draft.nino ?? JSON.stringify(events[draft.index]))
            .digest('hex'),
        ),
      });
      const text = texts[draft.index] ?? '';
      const id = String((events[draft.index] as { readonly eventId: string }).eventId);
      if (this.#sent.has(id)) continue;
      const decision = decideEvent(event, createHash('sha256').update(text).digest('hex'), this.state, this.rules);
      for (const { key, value } of decision.changes)
        value === null ? this.#state.delete(key) : this.#state.set(key, value);
      this.results.push(...decision.results);
      const code = decision.rejections[0]?.code;
      const status = decision.outcome === 'rejected' ? 'rejected' : 'decided';
      this.#sent.set(id, {
        text,
        status,
        flags: decision.results.flatMap(({ flags }) => flags),
        ...(code === undefined ? {} : { code }),
      });
      if (event.type === 'TillEvent')
        this.#heads.set(`${event.account.slice(4)} ${event.tillId}`, { seq: event.seq, hash: event.hash });
    }
    return { queued: events.length };
  }
}

interface StatusRequest {
  readonly account: string;
  readonly eventIds: readonly string[];
  readonly bodies?: boolean;
}
