import { mkdirSync } from 'node:fs';
import type { Router } from 'express';
import type { ClientRegistry } from '../../libs/adapters/access/clients.ts';
import type { GatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import type { LedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { lockDataFolder } from '../../libs/adapters/lmdb/data-folder-lock.ts';
import { type RateCards, RuleSets } from '../../libs/adapters/rules/rule-sets.ts';
import { failure, type Service } from '../../libs/adapters/runtime/service.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { type Clock, steadyTime } from '../../libs/adapters/time/clock.ts';
import { WakeSignal } from '../../libs/adapters/time/wake-signal.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { Account, Tax } from '../../libs/core/identity/account.ts';
import type { NoteSigner } from '../../libs/core/ledger/note/signed-note.ts';
import { parseVerifierKey, printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import { checkPayerKey } from './check-payer-key.ts';
import { LedgerFollower } from './follow/follow-ledger.ts';
import { ReceiptChecker } from './outbox/check-receipts.ts';
import { EventFetcher } from './outbox/fetch-events.ts';
import { Forwarder } from './outbox/forward-events.ts';
import { LANES, Outbox, type SubmitResult } from './outbox/outbox.ts';
import { ownEventsOf } from './outbox/own-events.ts';
import { MonthCloser } from './paye/close-months.ts';
import { payerMetrics } from './payer-metrics.ts';
import { type NodeView, payerRouter } from './payer-router.ts';
import { CloseHold } from './store/close-hold.ts';
import type { LedgerIdentity } from './store/payer-records.ts';
import { PayerStore } from './store/payer-store.ts';
import { VatPeriodCloser } from './vat/close-vat-periods.ts';
import { VatFilings } from './vat/vat-filings.ts';
import { TraderMoney } from './vat/vat-money.ts';
import { mtdVatRouter } from './vat/vat-mtd-router.ts';
import { vatRouter } from './vat/vat-router.ts';
import { statementOf } from './views/account-statement.ts';
import { exportCopy } from './views/export-copy.ts';

export interface PayerNodeOptions {
  /** Folder of the payer's own store; made where it is missing. */
  readonly folder: string;
  /** Accounts to follow from the start; others are followed from their first event on. */
  readonly accounts: readonly Account[];
  /** Verifier keys of the gateway: whose signature under a receipt counts. */
  readonly gatewayKeys: readonly string[];
  readonly pullEveryMs: number;
  readonly pullBytesMax: number;
  readonly withheldAfterMs: number;
  readonly withheldWholeAfterMs: number;
  /** How often it is looked for VAT periods to close, and how long after the start before one is closed softly. */
  readonly closeLookEveryMs: number;
  /** How long closes by the calendar wait until the clock is believed, at least and at most (CloseHold). */
  readonly closeHoldLeastMs: number;
  readonly closeHoldMostMs: number;
}

export const PAYER_NODE_DEFAULTS = {
  pullEveryMs: 1_000,
  pullBytesMax: 2 * 1024 * 1024,
  withheldAfterMs: 60_000,
  withheldWholeAfterMs: 600_000,
  closeLookEveryMs: 600_000,
  closeHoldLeastMs: 600_000,
  closeHoldMostMs: 86_400_000,
} as const;

export interface PayerNodeDependencies {
  readonly gateway: GatewayClient;
  readonly ledger: LedgerClient;
  /** Countersigns for all accounts of the node. */
  readonly signer: NoteSigner;
  readonly rules: TaxRules;
  /** The rate cards that `rules` are made of: kept, so that blocks under them can be worked out again after they change. */
  readonly rateCards: readonly RateCards[];
  /** Who may use the node's own HTTP interface. */
  readonly clients: ClientRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Times of receipt of events whose entries were checked and stored just now: how old a copy is. */
  readonly onStored?: (receivedAtMs: readonly number[]) => void;
}

/** The payer's outbox and its half of the stick. */
export interface PayerNode extends NodeView, Service {
  /** Begins to send, to pull and to check. */
  start(): void;
  /** As POST /payer/v1/events, event by event: what the door refuses is left out and said. Resolves once durable. Throws BATCH_TOO_LARGE, OUTBOX_FULL. */
  submit(tax: Tax, events: readonly unknown[]): Promise<SubmitResult>;
  /** Follows accounts that have no events of ours yet. */
  follow(accounts: readonly Account[]): Promise<void>;
  /** One round of pull, check, store, countersign. For tests and for a node that is not started. */
  pullOnce(): ReturnType<LedgerFollower['pullOnce']>;
  /** Throws DISK_FULL where nothing can be taken. Ready too while HMRC is out of reach: the outbox takes what comes. */
  assertReady(): void;
  /** Lets what is under way finish, which is short, and closes the store. */
  stop(): Promise<void>;
}

/** Throws DATA_FOLDER_IN_USE, STORE_DAMAGED, KEY_NOT_OF_THIS_DATA, VERIFIER_KEY_INVALID, RATE_CARD_HASH_DIFFERS; a store that cannot be opened throws node's or LMDB's own error. */
export async function createPayerNode(
  options: PayerNodeOptions,
  dependencies: PayerNodeDependencies,
): Promise<PayerNode> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const lock = await lockDataFolder(options.folder);
  const store = await openStore(options.folder, dependencies.logger).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  try {
    await checkPayerKey(store, dependencies.signer.key);
  } catch (error) {
    await store.close();
    await lock.release();
    throw error;
  }
  const rules = await keptRules(store, dependencies);
  await followAccounts(store, options.accounts);
  await resumeUnderNewRules(store, dependencies.clock.civilMs());
  const { closeHoldLeastMs: holdLeastMs, closeHoldMostMs: holdMostMs } = options;
  const hold = new CloseHold({ holdLeastMs, holdMostMs }, { clock: dependencies.clock, store });
  const parts = partsOf(options, dependencies, store, rules, hold);
  const { outbox, follower, forwarders, fetcher, closer } = parts;
  const vat = vatPartsOf(options, dependencies, store, rules, { outbox, hold });
  const stopping = new AbortController();
  const { failed, fail } = failure();
  let running: Promise<unknown> = Promise.resolve();
  const node: Omit<PayerNode, 'router'> = {
    start() {
      const works = [
        follower.run(stopping.signal),
        closer.run(stopping.signal),
        vat.closer.run(stopping.signal),
        ...forwarders.map((one) => one.run(stopping.signal)),
        fetcher.run(stopping.signal),
      ];
      running = Promise.all(works.map((work) => work.catch(fail)));
    },
    submit: (tax, events) => outbox.submit(tax, events, { whole: false }),
    async follow(accounts) {
      await followAccounts(store, accounts);
      follower.nudge();
    },
    counts: () => outbox.counts(),
    accounts: () => [...store.accounts()],
    statement(owner, page) {
      const followed = store.account(owner);
      return followed === undefined ? null : statementOf(store, followed, page);
    },
    copy: (owner) => copyOf(store, owner, options, dependencies),
    divergences: () => store.divergences.all(),
    pullOnce: () => follower.pullOnce(),
    failed,
    assertReady: () => outbox.assertRoom(),
    async stop() {
      stopping.abort();
      store.stopWaiting();
      await running;
      await store.close();
      await lock.release();
    },
  };
  const router = payerRouter({
    node,
    outbox,
    follower,
    store,
    rules,
    clients: dependencies.clients,
    clock: dependencies.clock,
  });
  for (const one of vat.routers) router.use(one);
  return { ...node, router };
}

/** Throws STORE_DAMAGED, and LMDB's own error. */
async function openStore(folder: string, logger: Logger): Promise<PayerStore> {
  return new PayerStore({ folder, onWaiting: (error) => logger.warn({ code: error.code }, error.message) });
}

/** What the trader's VAT needs: its views, HMRC's MTD API, and the close of what was filed. */
function vatPartsOf(
  { closeLookEveryMs: lookEveryMs }: PayerNodeOptions,
  { clients, clock, logger }: PayerNodeDependencies,
  store: PayerStore,
  rules: RuleSets,
  { outbox, hold }: { readonly outbox: Outbox; readonly hold: CloseHold },
): { readonly closer: VatPeriodCloser; readonly routers: readonly Router[] } {
  const filings = new VatFilings(store);
  const money = new TraderMoney(store);
  const bell = new WakeSignal();
  const onFault = (fault: TallyError): void => logger.warn({ code: fault.code }, fault.message);
  return {
    closer: new VatPeriodCloser({ lookEveryMs }, { store, filings, outbox, bell, clock, hold, onFault }),
    routers: [
      vatRouter({ store, filings, money, rules: rules.current.vat, clients, clock }),
      mtdVatRouter({
        store,
        filings,
        money,
        rules: rules.current.vat,
        clients,
        clock,
        logger,
        onFiled: () => bell.notify(),
      }),
    ],
  };
}

interface Parts {
  readonly outbox: Outbox;
  readonly follower: LedgerFollower;
  readonly forwarders: readonly Forwarder[];
  readonly fetcher: EventFetcher;
  readonly closer: MonthCloser;
}

function partsOf(
  options: PayerNodeOptions,
  dependencies: PayerNodeDependencies,
  store: PayerStore,
  rules: RuleSets,
  hold: CloseHold,
): Parts {
  const { gateway, ledger, signer, clock, random, logger } = dependencies;
  const steadyMs = steadyTime(clock);
  const known: { ledger: LedgerIdentity | null } = { ledger: null };
  const gatewayKeys = options.gatewayKeys.map((key) => parseVerifierKey(key));
  const events = ownEventsOf(rules.current, clock);
  const trusted = () => {
    if (known.ledger === null)
      throw new TallyError('LEDGER_NOT_MET', 'the ledger has not answered yet', {}, { retriable: true });
    return { ledgerName: known.ledger.name, keys: gatewayKeys };
  };
  const receipts = new ReceiptChecker({ store, events, trusted });
  const metrics = payerMetrics(dependencies.metrics, {
    counts: () => outbox.counts(),
    openDivergences: () => follower.openDivergences,
    waitingEvents: () => follower.waiting?.events ?? 0,
    haltedChains: () => store.haltedCount,
  });
  const onFault = (fault: TallyError): void => {
    const isDivergence = fault.code === 'DIVERGENCE';
    metrics.faults.add({ code: isDivergence ? String(fault.facts['code']) : fault.code });
    const { code, facts } = fault;
    if (isDivergence) logger.error({ code, facts }, fault.message);
    else logger.warn({ code }, fault.message);
  };
  const ready = (): boolean => known.ledger !== null;
  const forwarders = LANES.map(
    ({ lane, tax }) =>
      new Forwarder({ lane, tax }, { store, gateway, receipts, clock, steadyMs, random, onFault, ready }),
  );
  const onFetched = (events: number): void => metrics.fetched.add({}, events);
  const fetcher = new EventFetcher({ store, gateway, receipts, steadyMs, onFault, onFetched });
  const wakeAll = (): void => {
    for (const forwarder of forwarders) forwarder.wake();
  };
  const follower: LedgerFollower = new LedgerFollower(options, {
    store,
    ledger,
    signer,
    rules,
    clock,
    steadyMs,
    onFault,
    onTaken: (entries, blocks, receivedAtMs) => {
      metrics.entries.add({}, entries);
      metrics.blocks.add({}, blocks);
      const civilMs = clock.civilMs();
      for (const atMs of receivedAtMs) metrics.copyAge.observe({}, Math.max(0, civilMs - atMs) / 1_000);
      dependencies.onStored?.(receivedAtMs);
    },
    find: (number, id) => fetcher.find(number, id),
    onLedger: (met) => {
      known.ledger = met;
      wakeAll();
    },
  });
  const outbox: Outbox = new Outbox({
    store,
    events,
    wake: (lane) => forwarders[lane]?.wake(),
    follow: () => follower.nudge(),
  });
  const closer = new MonthCloser({ store, outbox, clock, rules: rules.current.paye, hold, onFault });
  return { outbox, follower, forwarders, fetcher, closer };
}

/** Keeps the rate cards in force, and gives all that blocks of the copy may rest on. */
async function keptRules(store: PayerStore, dependencies: PayerNodeDependencies): Promise<RuleSets> {
  const rules = new RuleSets(dependencies.rules);
  await store.commit(() => {
    for (const { tax, hash, cards } of dependencies.rateCards) {
      void store.rules.put(Buffer.from(`${tax} ${hash}`), JSON.stringify(cards));
    }
  });
  for (const { key, value } of store.rules.getRange()) {
    const [tax, hash = ''] = key.toString().split(' ');
    rules.add({ tax: tax === 'paye' ? 'paye' : 'vat', hash, cards: JSON.parse(value) as unknown[] });
  }
  return rules;
}

/** Chains that stopped because a rule set was missing are tried again: this start may have brought it. */
async function resumeUnderNewRules(store: PayerStore, civilMs: number): Promise<void> {
  for (const followed of [...store.accounts()]) {
    const stored = followed.haltedBy === null ? undefined : store.divergences.get(followed.haltedBy);
    if (stored?.findings[0]?.code !== 'RULES_UNKNOWN') continue;
    await store.commit(() => {
      store.divergences.put({ ...stored, settledAtMs: civilMs });
      store.putAccount({ ...followed, haltedBy: null });
    });
  }
}

async function followAccounts(store: PayerStore, accounts: readonly Account[]): Promise<void> {
  if (accounts.every((owner) => store.account(owner) !== undefined)) return;
  await store.exclusively(() => {
    for (const owner of accounts) store.addAccount(owner);
  });
}

function copyOf(
  store: PayerStore,
  owner: Account,
  options: PayerNodeOptions,
  dependencies: PayerNodeDependencies,
): Generator<string> {
  const followed = store.account(owner);
  const ledger = store.node('ledger');
  if (followed === undefined) throw new TallyError('ACCOUNT_UNKNOWN', 'this node does not follow the account', {});
  if (ledger === undefined) throw new TallyError('COPY_EMPTY', 'the ledger has not answered yet', {});
  return exportCopy(store, {
    followed,
    ledger,
    receiptKeys: options.gatewayKeys,
    payerKey: printVerifierKey(dependencies.signer.key),
    civilMs: dependencies.clock.civilMs(),
  });
}
