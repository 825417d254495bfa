import type { PullAnswer } from '../../../libs/adapters/codec/pull-answer.ts';
import { nodeEd25519Verify, nodeTreeHasher } from '../../../libs/adapters/crypto/node-crypto.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { openCheckpoint } from '../../../libs/core/ledger/note/checkpoint.ts';
import { parseVerifierKey, type VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from '../../../libs/core/ledger/verify/verify-checkpoint.ts';
import type { DivergenceLog } from '../store/divergence-log.ts';
import type { LedgerIdentity } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

export interface MetLedgerDependencies {
  readonly store: PayerStore;
  readonly divergences: DivergenceLog;
  /** Called once, when it is known which ledger this is. */
  readonly onLedger: (ledger: LedgerIdentity) => void;
}

const NOWHERE = { account: null, chain: null, seq: null, entryIndex: null, eventId: null } as const;

/** The one ledger that this node follows, and the newest checkpoint of its log that passed every check. */
export class MetLedger {
  readonly #dependencies: MetLedgerDependencies;
  #ledger: LedgerIdentity | null = null;
  #key: VerifierKey | null = null;
  #checkpoint: VerifiedCheckpoint | null = null;

  constructor(dependencies: MetLedgerDependencies) {
    this.#dependencies = dependencies;
    const kept = dependencies.store.node('ledger');
    if (kept !== undefined) this.#meet(kept);
  }

  /** The newest checkpoint under which something was stored; null before the first. */
  get checkpoint(): VerifiedCheckpoint | null {
    return this.#checkpoint;
  }

  /** The ledger is the first one that this node met. Throws LEDGER_DIFFERS for any other. */
  check(met: LedgerIdentity): void {
    if (this.#ledger === null) this.#meet(met);
    else if (met.name !== this.#ledger.name || met.verifierKey !== this.#ledger.verifierKey) {
      const facts = { expected: this.#ledger.name, found: met.name };
      throw new TallyError('LEDGER_DIFFERS', 'this is another ledger than the one this node follows', facts);
    }
  }

  /** The ledger and its key; a registered chain names them. */
  known(): { readonly ledger: LedgerIdentity; readonly key: VerifierKey } {
    assert(this.#ledger !== null && this.#key !== null, 'a registered chain names its ledger');
    return { ledger: this.#ledger, key: this.#key };
  }

  /** Verifies the signature of an answer's checkpoint, and that it is consistent with the last; null where nothing may be taken under it. */
  async verify(answer: PullAnswer): Promise<VerifiedCheckpoint | null> {
    if (answer.checkpoint === null) return null;
    const { ledger, key } = this.known();
    const offered = { note: answer.checkpoint, consistency: answer.consistency };
    const log = { origin: ledger.origin, keys: [key] };
    const verdict = verifyCheckpoint(offered, this.#checkpoint, log, {
      verify: nodeEd25519Verify,
      tree: nodeTreeHasher,
    });
    if (verdict.ok) return verdict.checkpoint;
    await this.#raise(verdict.finding, answer.checkpoint, answer.consistency);
    return null;
  }

  /** Everything that was taken under the checkpoint is stored. */
  advance(checkpoint: VerifiedCheckpoint): void {
    this.#checkpoint = checkpoint;
  }

  /** A refusal to serve because the log is smaller than a checkpoint that the ledger signed before is a divergence. */
  async reportRefusal(error: TallyError): Promise<void> {
    if (error.facts['code'] !== 'VERIFIED_AHEAD' || this.#checkpoint === null) return;
    const came = typeof error.facts['checkpoint'] === 'string' ? error.facts['checkpoint'] : null;
    const found = 'the ledger says that its log is smaller';
    const expected = `${this.#checkpoint.size}`;
    const finding = { ...NOWHERE, code: 'CHECKPOINT_BEHIND', field: 'size', expected, found } as const;
    await this.#raise(finding, came, []);
  }

  async #raise(finding: Divergence, came: string | null, consistency: readonly Uint8Array[]): Promise<void> {
    const held = { checkpoint: this.#checkpoint?.note ?? null, blocks: [] };
    const versions = { held, came: { checkpoint: came, blocks: [] }, consistency };
    await this.#dependencies.divergences.raiseOfLog(finding, versions, this.known().ledger);
  }

  #meet(ledger: LedgerIdentity): void {
    this.#ledger = ledger;
    this.#key = parseVerifierKey(ledger.verifierKey);
    const kept = this.#dependencies.store.node('checkpoint');
    if (kept !== undefined) {
      const log = { origin: ledger.origin, keys: [this.#key] };
      this.#checkpoint = { ...openCheckpoint(kept.note, log, nodeEd25519Verify), note: kept.note };
    }
    this.#dependencies.onLedger(ledger);
  }
}
