import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { PullAnswer, PulledBlock } from '../../libs/adapters/codec/pull-answer.ts';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  nodeHmacSha256,
  nodeSha256,
  nodeTreeHasher,
  noteSignerOfSeed,
} from '../../libs/adapters/crypto/node-crypto.ts';
import type {
  GatewayAnswer,
  GatewayClient,
  GatewayReceipt,
  GivenEvents,
} from '../../libs/adapters/http/gateway-client.ts';
import type { ChainRegistration, LedgerClient, PullRequest } from '../../libs/adapters/http/ledger-client.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { eventOf, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../libs/core/decisions/decision.ts';
import type { Fault } from '../../libs/core/errors/fault.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { type Account, taxOf } from '../../libs/core/identity/account.ts';
import { eventId, personToken, uuidOf } from '../../libs/core/identity/event-id.ts';
import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import { logLeafOf, slotTagOf } from '../../libs/core/ledger/block/log-leaf.ts';
import { openEntryOf, sealBlock } from '../../libs/core/ledger/block/seal-block.ts';
import { chainKeysOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { entryOf } from '../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry, payerKeyEntry } from '../../libs/core/ledger/entry/key-event.ts';
import { assertKeyProven, assertPayerKey } from '../../libs/core/ledger/entry/key-registration.ts';
import { type LedgerEntry, restsOnRules } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { openAcknowledgement } from '../../libs/core/ledger/note/acknowledgement.ts';
import { originOf, signCheckpoint } from '../../libs/core/ledger/note/checkpoint.ts';
import { rejectionsNoteOf } from '../../libs/core/ledger/note/rejections-note.ts';
import { signNote } from '../../libs/core/ledger/note/signed-note.ts';
import { parseVerifierKey, printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { consistencyPath, inclusionPath, nodesOfLeafHashes, rootAt } from '../../libs/core/ledger/tree/tree-proof.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { decideEvent, type TaxRules } from '../../libs/core/tax/decide-event.ts';
import { receiptOf } from '../oracles/gateway-receipt.ts';
import { seededBytes } from './ledger-chain.ts';

export const PAPER_LEDGER = 'tallystick-0a1b2c3d';

interface PaperChain {
  readonly account: Account;
  readonly chain: string;
  readonly blocks: PulledBlock[];
  readonly leafIndices: number[];
  head: ChainHead | null;
  /** The head before the newest. */
  before: ChainHead | null;
  open: LedgerEntry[];
  payerKey: string | null;
}

type PaperNodes = ReturnType<typeof nodesOfLeafHashes<Uint8Array>>;

interface PaperRejection {
  readonly account: Account;
  readonly eventId: string;
  readonly code: string;
}

/**
 * HMRC's side on paper: gateway, tax and ledger in memory, with the real core, real signatures and real trees, so that a test can make
 * it honest, forgetful or false. `seal` closes what is open and signs.
 */
export class PaperHmrc {
  readonly signer = noteSignerOfSeed(PAPER_LEDGER, seededBytes('paper ledger', 32));
  readonly gatewaySigner = noteSignerOfSeed(`${PAPER_LEDGER}/gateway`, seededBytes('paper gateway', 32));
  readonly origin = originOf(PAPER_LEDGER, 2026);
  readonly rules: TaxRules;
  readonly clock: () => number;
  /** Changes an entry before it is sealed: a false ledger. */
  falsify: (entry: LedgerEntry) => LedgerEntry = (entry) => entry;
  /** Event ids (hex) that are accepted and then kept back. */
  readonly withheld = new Set<string>();
  /** Accounts whose chains are never named among those that grew. */
  readonly quietAbout = new Set<Account>();
  /** Why an event (id in hex) is refused at the door, where it is. */
  readonly refused = new Map<string, Fault>();
  /** Changes the bytes of an event that the gateway gives: a false gateway. */
  forge: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Accounts of which the gateway does not give what others sent. */
  readonly silentAbout = new Set<Account>();
  /** Events that one page of the gateway's list holds at most. */
  pageEvents = 2;
  /** So many answers are lost after what was sent was taken. */
  loseAnswers = 0;
  readonly acknowledged: { readonly chain: string; readonly seq: number }[] = [];
  /** The notes of all countersignatures that were taken. */
  readonly countersignatures = new Set<string>();
  readonly #master = seededBytes('paper master', 32);
  readonly #state = new Map<string, StateValue>();
  readonly #chains = new Map<string, PaperChain>();
  readonly #leafHashes: Uint8Array[] = [];
  readonly #receipts = new Map<string, { readonly note: string; readonly event: GatewayReceipt['events'][number] }>();
  readonly #taken: { readonly event: TaxEvent; readonly bytes: Buffer }[] = [];
  readonly #rejections: PaperRejection[] = [];
  #checkpoint: { readonly note: string; readonly size: number } | null = null;
  readonly #waiting: { readonly event: TaxEvent; readonly hash: string }[] = [];
  #kept: { readonly size: number; readonly nodes: PaperNodes | null } = { size: -1, nodes: null };
  #salts = 0;

  constructor(options: { readonly clock?: () => number } = {}) {
    this.rules = loadTaxRules();
    this.clock = options.clock ?? Date.now;
  }

  readonly gateway: GatewayClient = {
    postEvents: async (tax, events) => {
      const answer = this.#receive(tax, events);
      if (this.loseAnswers > 0) {
        this.loseAnswers -= 1;
        throw new TallyError('GATEWAY_UNREACHABLE', 'the answer was lost', {}, { retriable: true });
      }
      return answer;
    },
    eventsOf: async (account, from) => this.#eventsOf(account, from),
  };

  readonly ledger: LedgerClient = {
    registerChain: async ({ account, verifierKey, proof }) => this.#register(account, verifierKey, proof),
    registerChains: async ({ accounts, verifierKey, proofs }) => {
      const registered = accounts.map((account, index) => this.#register(account, verifierKey, proofs?.[index]));
      return { ledger: this.#identity(), registered, refused: [] };
    },
    pull: async (request) => this.pull(request),
    changes: async (from) => {
      const size = this.#checkpoint?.size ?? 0;
      const grown = [...this.#chains.values()].filter(
        ({ account, leafIndices }) =>
          !this.quietAbout.has(account) && leafIndices.some((at) => at >= from && at < size),
      );
      return { to: Math.max(from, size), size, chains: grown.map(({ chain }) => chain) };
    },
    checkpoint: async () => this.#checkpoint?.note ?? null,
    consistency: async (from, to) => consistencyPath(from, to, this.#nodes(), nodeTreeHasher),
    acknowledge: async ({ note, heads }) => {
      const keys = heads.map(({ chain }) => parseVerifierKey(this.#chains.get(chain)?.payerKey ?? ''));
      const given = heads.map((head) => ({ ...head, blockHash: Buffer.from(head.blockHash).toString('hex') }));
      openAcknowledgement(note, { ledgerName: PAPER_LEDGER, keys, heads: given }, nodeEd25519Verify, nodeTreeHasher);
      this.countersignatures.add(note);
      this.acknowledged.push(...heads.map(({ chain, seq }) => ({ chain, seq })));
    },
    follow: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  };

  #register(account: Account, verifierKey: string | undefined, proof: string | undefined): ChainRegistration {
    const chain = this.#chainOf(account);
    if (verifierKey !== undefined && chain.payerKey === null) {
      const registration = { ledgerName: PAPER_LEDGER, chain: chain.chain, account, verifierKey };
      const key = assertPayerKey(verifierKey, PAPER_LEDGER);
      assertKeyProven(proof ?? '', registration, key, nodeEd25519Verify);
      chain.payerKey = verifierKey;
      const id = eventId(Buffer.from(this.#random(16)).toString('hex'));
      chain.open.push(payerKeyEntry(id, verifierKey, this.#random(16)));
    }
    const { chainKey } = chainKeysOf(this.#master, account);
    return { account, chain: chain.chain, chainKey, ledger: this.#identity() };
  }

  #identity(): ChainRegistration['ledger'] {
    return { name: PAPER_LEDGER, verifierKey: printVerifierKey(this.signer.key), origin: this.origin };
  }

  /** Decides at last on an event that was withheld. */
  release(): void {
    const kept = this.#waiting.splice(0);
    this.withheld.clear();
    for (const { event, hash } of kept) this.#decide(event, hash);
  }

  /** Forgets the newest block of a chain, which stays in the public log: the next one takes its place. */
  rewriteHistory(account: Account): void {
    const chain = this.#chainOf(account);
    chain.blocks.pop();
    chain.leafIndices.pop();
    chain.head = chain.before;
  }

  /** Books another payment in the place of the last decision: only the entry, tax has moved on. */
  rebook(account: Account, amountPence: number): void {
    const chain = this.#chainOf(account);
    const number = (chain.head?.lastDecision ?? 0) + 1;
    const amounts = [{ head: 'payment', pence: pence(amountPence) }] as const;
    const entry = payerKeyEntry(eventId(Buffer.from(this.#random(16)).toString('hex')), '', this.#random(16));
    chain.open.push({ ...entry, kind: 'payment', number, amounts });
  }

  /** Money that HMRC's bank received. */
  pay(account: Account, amountPence: number): void {
    const event = {
      type: 'MoneyMoved',
      eventId: eventId(Buffer.from(this.#random(16)).toString('hex')),
      account,
      receivedAtMs: this.clock(),
      direction: 'received',
      amountPence: pence(amountPence),
      bookedOn: localDate('2026-11-20'),
      reference: null,
    } as const;
    this.#decide(event, Buffer.from(nodeSha256(encodeEvent(event))).toString('hex'));
  }

  /** Closes every open block and signs a checkpoint over the whole log. */
  seal(): void {
    for (const chain of this.#chains.values()) {
      if (chain.head === null) {
        const key = printVerifierKey(this.signer.key);
        this.#close(chain, [ledgerKeyEntry(chain.account, key, this.#random(16))]);
      }
      if (chain.open.length > 0) this.#close(chain, chain.open.splice(0));
    }
    const size = this.#leafHashes.length;
    const root = rootAt(size, this.#nodes(), nodeTreeHasher);
    this.#checkpoint = { size, note: signCheckpoint({ origin: this.origin, size, root }, this.signer) };
  }

  pull(request: PullRequest): PullAnswer {
    const size = this.#checkpoint?.size ?? 0;
    const rejected: PaperRejection[] = [];
    const chains = request.chains.map(({ chain: id, from, rejectionsFrom = 0 }) => {
      const chain = this.#chains.get(id);
      const blocks =
        chain === undefined || size === 0 ? [] : this.#blocksOf(chain, from, size, request.maxBytes ?? 1e9);
      const index = chain?.leafIndices[from + blocks.length - 1];
      const mine = this.#rejections.filter((one) => one.account === chain?.account);
      rejected.push(...mine.slice(rejectionsFrom));
      return {
        chain: id,
        fault: null,
        blocks,
        more: chain !== undefined && (chain.leafIndices[from + blocks.length] ?? size) < size,
        inclusion:
          blocks.length === 0 || index === undefined
            ? null
            : { index, path: inclusionPath(index, size, this.#nodes(), nodeTreeHasher) },
        rejections: mine
          .slice(rejectionsFrom)
          .map(({ eventId: rejectedId, code }) => ({ eventId: eventId(rejectedId), code, facts: {} })),
        rejectionsNext: mine.length,
        moreRejections: false,
      };
    });
    return {
      checkpoint: this.#checkpoint?.note ?? null,
      consistency: consistencyPath(Math.min(request.verified, size), size, this.#nodes(), nodeTreeHasher),
      chains,
      rejectionsNote: rejected.length === 0 ? null : this.#signRejections(rejected),
    };
  }

  #signRejections(rejected: readonly PaperRejection[]): string {
    const list = rejected.map((one) => ({ ...one, eventId: eventId(one.eventId) }));
    return signNote(rejectionsNoteOf(PAPER_LEDGER, this.clock(), list, nodeTreeHasher).text, [this.signer]);
  }

  #blocksOf(chain: PaperChain, from: number, size: number, maxBytes: number): readonly PulledBlock[] {
    const blocks: PulledBlock[] = [];
    let bytes = 0;
    for (const [offset, block] of chain.blocks.slice(from).entries()) {
      if ((chain.leafIndices[from + offset] ?? size) >= size || (bytes > 0 && bytes >= maxBytes)) break;
      bytes += block.entries.reduce((sum, entry) => sum + entry.length, block.header.length + block.totals.length);
      blocks.push(block);
    }
    return blocks;
  }

  #receive(tax: 'paye' | 'vat', texts: readonly string[]): GatewayAnswer {
    const { drafts, faults } = readSubmissions(
      tax,
      texts.map((text) => JSON.parse(text) as unknown),
      this.rules,
    );
    const refusals = drafts.flatMap(({ index, event }) => {
      const fault = this.refused.get(event.eventId);
      return fault === undefined ? [] : [{ ...fault, pointer: `/${index}${fault.pointer}` }];
    });
    const all = [...faults, ...refusals];
    if (all.length > 0) return { kind: 'refused', status: 422, code: 'INPUT_INVALID', faults: all };
    const receivedAtMs = this.clock();
    const fresh: { event: TaxEvent; bytes: Buffer; person: string | undefined }[] = [];
    for (const draft of drafts) {
      const { account, eventId: id } = draft.event;
      if (this.#receipts.has(`${account} ${id}`) || fresh.some(({ event }) => event.eventId === id)) continue;
      const token = Buffer.from(nodeSha256(Buffer.from(draft.nino ?? 'none')))
        .toString('hex')
        .slice(0, 32);
      const person = draft.event.type === 'PaymentMade' ? personToken(token) : null;
      const event = eventOf(draft, { receivedAtMs, person });
      fresh.push({ event, bytes: encodeEvent(event), person: person ?? undefined });
    }
    if (fresh.length > 0) this.#issueReceipt(receivedAtMs, fresh);
    for (const { event, bytes } of fresh) this.#decide(event, Buffer.from(nodeSha256(bytes)).toString('hex'));
    const byNote = new Map<string, GatewayReceipt['events'][number][]>();
    for (const { event } of drafts) {
      const known = this.#receipts.get(`${event.account} ${event.eventId}`);
      if (known !== undefined) byNote.set(known.note, [...(byNote.get(known.note) ?? []), known.event]);
    }
    return { kind: 'receipts', receipts: [...byNote].map(([note, events]) => ({ note, events })) };
  }

  /** A page of what was taken for an account, one receipt for each event of it. */
  #eventsOf(account: Account, from: number): GivenEvents {
    const all = this.silentAbout.has(account) ? [] : this.#taken.filter((one) => one.event.account === account);
    const listed = all.slice(from, from + this.pageEvents);
    const receipts = listed.map(({ event, bytes }) => {
      const receipt = this.#receipts.get(`${account} ${event.eventId}`);
      if (receipt === undefined) throw new Error('an event was taken without a receipt');
      return { note: receipt.note, events: [{ ...receipt.event, bytes: this.forge(bytes).toString('base64') }] };
    });
    return { receipts, next: from + listed.length, more: from + listed.length < all.length };
  }

  #issueReceipt(
    receivedAtMs: number,
    fresh: readonly { event: TaxEvent; bytes: Buffer; person: string | undefined }[],
  ): void {
    const leaves = fresh.map(({ event, bytes }) => ({
      account: event.account,
      eventId: event.eventId,
      hash: nodeSha256(bytes),
    }));
    const { text, places } = receiptOf(PAPER_LEDGER, receivedAtMs, leaves, nodeTreeHasher);
    const note = signNote(text, [this.gatewaySigner]);
    this.#taken.push(...fresh);
    fresh.forEach(({ event, person }, at) => {
      const place = places[at];
      const hash = Buffer.from(leaves[at]?.hash ?? []).toString('base64');
      const path = (place?.path ?? []).map((one) => Buffer.from(one).toString('base64'));
      const { account, eventId: id } = event;
      this.#receipts.set(`${account} ${id}`, {
        note,
        event: { eventId: uuidOf(id), account, hash, index: place?.index ?? 0, path, person },
      });
    });
  }

  #decide(event: TaxEvent, hash: string): void {
    if (this.withheld.has(event.eventId)) {
      this.#waiting.push({ event, hash });
      return;
    }
    const decision = decideEvent(event, hash, { get: (key) => this.#state.get(key) }, this.rules);
    for (const { key, value } of decision.changes) {
      if (value === null) this.#state.delete(key);
      else this.#state.set(key, value);
    }
    const chain = this.#chainOf(event.account);
    const { personKey } = chainKeysOf(this.#master, event.account);
    for (const result of decision.results) {
      chain.open.push(this.falsify(entryOf(result, { personKey, salt: this.#random(16) })));
    }
    for (const { account, eventId: id, code } of decision.rejections) {
      if (account !== null && id !== null) this.#rejections.push({ account, eventId: id, code });
    }
  }

  #close(chain: PaperChain, entries: readonly LedgerEntry[]): void {
    const rules = taxOf(chain.account) === 'paye' ? this.rules.paye.hash : this.rules.vat.hash;
    const sealed = sealBlock(
      {
        ledgerName: PAPER_LEDGER,
        account: chain.account,
        chain: chain.chain,
        previous: chain.head,
        entries: entries.map(openEntryOf),
        closedAtMs: this.clock(),
        reason: chain.head === null ? 'key' : 'age',
        rulesHash: entries.some((entry) => restsOnRules(entry.kind)) ? rules : null,
        blind: this.#random(32),
      },
      NODE_HASHES,
    );
    const { tagKey } = chainKeysOf(this.#master, chain.account);
    const leaf = logLeafOf(slotTagOf(tagKey, sealed.head.seq, nodeHmacSha256), sealed.blockHash);
    chain.leafIndices.push(this.#leafHashes.push(nodeTreeHasher.leaf(leaf)) - 1);
    chain.blocks.push(sealed.block);
    chain.before = chain.head;
    chain.head = sealed.head;
  }

  #chainOf(account: Account): PaperChain {
    const { chain: id } = chainKeysOf(this.#master, account);
    const known = this.#chains.get(id);
    if (known !== undefined) return known;
    const made: PaperChain = {
      account,
      chain: id,
      blocks: [],
      leafIndices: [],
      head: null,
      before: null,
      open: [],
      payerKey: null,
    };
    this.#chains.set(id, made);
    return made;
  }

  #nodes(): PaperNodes {
    if (this.#kept.nodes === null || this.#kept.size !== this.#leafHashes.length) {
      this.#kept = { size: this.#leafHashes.length, nodes: nodesOfLeafHashes(this.#leafHashes, nodeTreeHasher) };
    }
    return this.#kept.nodes ?? nodesOfLeafHashes(this.#leafHashes, nodeTreeHasher);
  }

  #random(bytes: number): Uint8Array {
    this.#salts += 1;
    return seededBytes(`paper ${this.#salts}`, bytes);
  }
}
