import type { PulledChain } from '../../../libs/adapters/codec/pull-answer.ts';
import { nodeHmacSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { slotTagOf } from '../../../libs/core/ledger/block/log-leaf.ts';
import { printTlogProof } from '../../../libs/core/ledger/note/tlog-proof.ts';
import { type Divergence, describeDivergence } from '../../../libs/core/ledger/verify/divergence.ts';
import {
  type BlockEvidence,
  printDivergenceReport,
  type Version,
} from '../../../libs/core/ledger/verify/divergence-report.ts';
import { blockKey, eventKey } from './payer-keys.ts';
import type { FollowedAccount, LedgerIdentity, StoredDivergence } from './payer-records.ts';
import type { PayerStore } from './payer-store.ts';
import { readBlock } from './payer-values.ts';

export interface DivergenceBookDependencies {
  readonly store: PayerStore;
  readonly clock: CivilClock;
  readonly onFault: (fault: TallyError) => void;
}

/** Both versions of what a report is about, and between them the consistency proof that was offered. */
export interface TwoVersions {
  readonly held: Version;
  readonly came: Version;
  readonly consistency: readonly Uint8Array[];
}

/** What a chain's version is proven with: makes the slot tags. */
export interface ChainEvidence {
  readonly tagKey: Uint8Array;
  /** The signed checkpoint that the blocks came under. */
  readonly checkpoint: string;
}

/** Raises divergence reports: durable, with both versions, each once. */
export class DivergenceLog {
  readonly #dependencies: DivergenceBookDependencies;
  /** What stands open by account and first finding, so that a fault that goes on is one report. */
  readonly #open = new Map<string, number>();

  constructor(dependencies: DivergenceBookDependencies) {
    this.#dependencies = dependencies;
    for (const stored of dependencies.store.divergences.all()) {
      if (stored.settledAtMs === null) this.#open.set(nameOf(stored.account, stored.findings), stored.number);
    }
  }

  /** How many reports stand open. */
  get open(): number {
    return this.#open.size;
  }

  /** Stops one chain and keeps both versions: the block that we hold as its head, and what came after it or in its place. */
  async halt(
    followed: FollowedAccount,
    findings: readonly Divergence[],
    came: readonly PulledChain[],
    evidence: ChainEvidence,
    ledger: LedgerIdentity,
  ): Promise<void> {
    const { store } = this.#dependencies;
    const versions: TwoVersions = {
      held: this.#held(followed, evidence.tagKey),
      came: { checkpoint: evidence.checkpoint, blocks: came.flatMap((chain) => evidenceOf(chain, evidence)) },
      consistency: [],
    };
    await store.commit(() => {
      const report = this.#reportOf(ledger, followed, findings, versions);
      const stored = this.#add(followed.account, findings, report, this.#ownSide(followed, findings));
      store.putAccount({ ...followed, haltedBy: stored.number });
    });
    this.#announce(followed.account, findings);
  }

  /** Reports a difference in the public log, which stops no chain by itself. */
  async raiseOfLog(finding: Divergence, versions: TwoVersions, ledger: LedgerIdentity): Promise<number> {
    return await this.#raise(null, [finding], () => this.#reportOf(ledger, null, [finding], versions), {});
  }

  /** Reports a difference that no block shows; gives its number, the old one where it stands open already. */
  async raise(owner: Account | null, findings: readonly Divergence[], own: StoredDivergence['own']): Promise<number> {
    return await this.#raise(owner, findings, () => null, own);
  }

  /** Closes a report; a chain that it stopped is followed again. Throws DIVERGENCE_UNKNOWN. */
  async settle(number: number): Promise<void> {
    const { store, clock } = this.#dependencies;
    const stored = store.divergences.get(number);
    if (stored === undefined)
      throw new TallyError('DIVERGENCE_UNKNOWN', `there is no divergence ${number}`, { number });
    await store.commit(() => {
      store.divergences.put({ ...stored, settledAtMs: clock.civilMs() });
      const followed = stored.account === null ? undefined : store.account(stored.account);
      if (followed !== undefined && followed.haltedBy === number) store.putAccount({ ...followed, haltedBy: null });
    });
    this.#open.delete(nameOf(stored.account, stored.findings));
  }

  async #raise(
    owner: Account | null,
    findings: readonly Divergence[],
    report: () => unknown,
    own: StoredDivergence['own'],
  ): Promise<number> {
    const known = this.#open.get(nameOf(owner, findings));
    if (known !== undefined) return known;
    let number = 0;
    await this.#dependencies.store.commit(() => {
      number = this.#add(owner, findings, report(), own).number;
    });
    this.#announce(owner, findings);
    return number;
  }

  #add(
    owner: Account | null,
    findings: readonly Divergence[],
    report: unknown,
    own: StoredDivergence['own'],
  ): StoredDivergence {
    const { store, clock } = this.#dependencies;
    const stored = store.divergences.add({
      findings,
      account: owner,
      raisedAtMs: clock.civilMs(),
      settledAtMs: null,
      report,
      own,
    });
    this.#open.set(nameOf(owner, findings), stored.number);
    return stored;
  }

  #announce(owner: Account | null, findings: readonly Divergence[]): void {
    const first = findings[0];
    if (first === undefined) return;
    const facts = { account: owner, seq: first.seq, entry: first.entryIndex, code: first.code };
    this.#dependencies.onFault(new TallyError('DIVERGENCE', describeDivergence(first), facts));
  }

  #reportOf(
    ledger: LedgerIdentity,
    followed: FollowedAccount | null,
    findings: readonly Divergence[],
    versions: TwoVersions,
  ): unknown {
    const text = printDivergenceReport({
      madeAt: printUtc(this.#dependencies.clock.civilMs(), 'milliseconds'),
      ledgerName: ledger.name,
      origin: ledger.origin,
      ledgerVerifierKey: ledger.verifierKey,
      account: followed?.account ?? null,
      chain: followed?.chain ?? null,
      findings,
      ...versions,
    });
    return JSON.parse(text);
  }

  /** The verified head: its block with the proof that it is in the public log. */
  #held(followed: FollowedAccount, tagKey: Uint8Array): Version {
    const { store } = this.#dependencies;
    const head = store.headProof(followed.number);
    const bytes = head === undefined ? undefined : store.blocks.get(blockKey(followed.number, head.seq));
    if (head === undefined || bytes === undefined) return { checkpoint: null, blocks: [] };
    const { seq, index, path, note: checkpoint } = head;
    const proof = printTlogProof({ extra: slotTagOf(tagKey, seq, nodeHmacSha256), index, path, checkpoint });
    return { checkpoint, blocks: [{ block: readBlock(bytes), proof }] };
  }

  /** Of the payer: its own event as appended, with the receipt for it. */
  #ownSide(followed: FollowedAccount, findings: readonly Divergence[]): StoredDivergence['own'] {
    const { store } = this.#dependencies;
    const id = findings.find((finding) => finding.eventId !== null)?.eventId ?? null;
    const appended = id === null ? undefined : store.appendedEvent(eventKey(followed.number, id));
    if (appended === undefined) return { eventId: id, event: null, receipt: null };
    return {
      eventId: id,
      event: appended.bytes.toString('base64'),
      receipt: store.receipt(appended.receiptKey)?.note ?? null,
      index: appended.index,
    };
  }
}

/** What came, as evidence: the last block has a proof. */
function evidenceOf(chain: PulledChain, { tagKey, checkpoint }: ChainEvidence): readonly BlockEvidence[] {
  const { inclusion } = chain;
  return chain.blocks.map((block, position) => {
    const seq = Number(/^seq (\d{1,15})$/m.exec(block.header)?.[1] ?? Number.NaN);
    if (inclusion === null || position < chain.blocks.length - 1 || Number.isNaN(seq)) return { block, proof: null };
    const { index, path } = inclusion;
    return { block, proof: printTlogProof({ extra: slotTagOf(tagKey, seq, nodeHmacSha256), index, path, checkpoint }) };
  });
}

function nameOf(owner: Account | null, findings: readonly Divergence[]): string {
  const first = findings[0];
  const place = [first?.code, first?.seq, first?.entryIndex, first?.eventId, first?.field];
  return `${owner ?? ''} ${place.join(' ')}`;
}
