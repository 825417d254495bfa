import type { LedgerClient } from '../../../libs/adapters/http/ledger-client.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { PullSchedule } from './pull-schedule.ts';

export interface LedgerChangesDependencies {
  readonly ledger: LedgerClient;
  readonly schedule: PullSchedule;
  readonly onFault: (fault: TallyError) => void;
  /** Size of the log up to which the changes are known already. */
  readonly from: number;
}

/** The chains that the ledger says have grown: of many, few have. It is a hint, and a node goes on without it. */
export class LedgerChanges {
  readonly #dependencies: LedgerChangesDependencies;
  #from: number;
  /** The ledger did not answer lately. */
  #isWithout = false;

  constructor(dependencies: LedgerChangesDependencies) {
    this.#dependencies = dependencies;
    this.#from = dependencies.from;
  }

  /** Names the grown chains to the schedule. A fault is reported once, and the ledger is asked again before the next pull. */
  async learn(): Promise<void> {
    try {
      await this.#learn();
      this.#isWithout = false;
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      if (!this.#isWithout) this.#dependencies.onFault(withoutHint(error));
      this.#isWithout = true;
    }
  }

  async #learn(): Promise<void> {
    const { ledger, schedule } = this.#dependencies;
    for (let size = Number.POSITIVE_INFINITY; this.#from < size; ) {
      const changes = await ledger.changes(this.#from);
      if (changes.to <= this.#from) return;
      schedule.grew(changes.chains);
      this.#from = changes.to;
      size = changes.size;
    }
  }
}

function withoutHint(cause: TallyError): TallyError {
  const message = `the ledger does not say which chains grew (${cause.message}): they are asked for by turns until it does`;
  return new TallyError(cause.code, message, cause.facts, { retriable: true, cause });
}
