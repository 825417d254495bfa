import { type Request, type Response, Router } from 'express';
import { assertActsFor, requireClient } from '../../../libs/adapters/access/bearer.ts';
import type { ClientRegistry } from '../../../libs/adapters/access/clients.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { isLocalDate, type LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { type Account, account } from '../../../libs/core/identity/account.ts';
import { mtdReturnOf } from '../../../libs/core/vat/mtd/return.ts';
import type { VatRules } from '../../../libs/core/vat/rates/vat-rules.ts';
import { completenessOf } from '../../../libs/core/vat/return/completeness.ts';
import type { BoxShares } from '../../../libs/core/vat/return/event-in-boxes.ts';
import { type SchemeNotice, schemeNotices } from '../../../libs/core/vat/return/scheme-limits.ts';
import { takingsByRate } from '../../../libs/core/vat/state/period-account.ts';
import { traderOf } from '../../../libs/core/vat/state/trader.ts';
import { NO_EVENT, tillHeadOf } from '../outbox/till-heads.ts';
import { OwnState } from '../store/own-state.ts';
import type { EntryPosition, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';
import type { TraderMoney } from './vat-money.ts';
import { eventsOfPeriod, PERIOD_EVENTS_MAX } from './vat-period-events.ts';
import { obligationOf, periodsOfTrader, type TraderPeriod } from './vat-periods.ts';
import { standingOfTrader } from './vat-standing.ts';
import { chargeView, interimView, standingView } from './vat-standing-view.ts';

export interface VatRouterDependencies {
  readonly store: PayerStore;
  readonly filings: VatFilings;
  readonly money: TraderMoney;
  readonly rules: VatRules;
  readonly clients: ClientRegistry;
  readonly clock: CivilClock;
}

/** A till from which nothing came for so long is named as silent. */
const TILL_SILENT_AFTER_MS = 3_600_000;
const PERIODS = '/payer/v1/vat/:vrn/periods';
const BOXES: ReadonlySet<number> = new Set([1, 2, 4, 6, 7, 8, 9]);
const PLACE = /^(\d{1,15})\.(\d{1,9})$/;

/** VAT as its trader sees it (docs/http-api.md): periods, the nine boxes at any moment, and the events behind each box. */
export function vatRouter(dependencies: VatRouterDependencies): Router {
  const { store, filings, money, rules, clock } = dependencies;
  const router = Router();
  const auth = requireClient({ clients: dependencies.clients, clock }, 'payer', 'operator');
  const periodsOf = (followed: FollowedAccount) =>
    periodsOfTrader(store, filings, followed, londonDate(clock.civilMs()));
  /** Periods and standing together: of one state of the copy. */
  const seenOf = async (followed: FollowedAccount) => {
    const paid = await money.of(followed);
    const periods = periodsOf(followed);
    return {
      periods,
      named: standingOfTrader(store, rules, followed, { periods, money: paid }, londonDate(clock.civilMs())),
    };
  };
  router.get(PERIODS, auth, async (request, response) => {
    const followed = followedOf(store, request, response);
    const { periods, named } = await seenOf(followed);
    const standing = standingView(named);
    response.json({ vrn: request.params['vrn'], standing, periods: periods.map(periodLine) });
  });
  router.get(`${PERIODS}/:period`, auth, async (request, response) => {
    const followed = followedOf(store, request, response);
    const { periods, named } = await seenOf(followed);
    const period = periodNamed(request, periods, londonDate(clock.civilMs()));
    const { start } = period.return.period;
    const trader = traderOf(followed.account, new OwnState(store, followed.number));
    response.json({
      vrn: request.params['vrn'],
      ...periodView(period),
      charge: chargeView(named, start),
      interim: interimView(trader, period, periods[periods.indexOf(period) - 1]),
      notices: noticesOf({ store, rules }, followed, period),
      completeness: completenessView(store, followed, clock.civilMs()),
      asOf: asOf(followed),
    });
  });
  router.get('/payer/v1/vat/:vrn/tills/:tillId', auth, (request, response) => {
    const followed = store.account(ownTrader(request, response));
    const tillId = String(request.params['tillId']);
    response.json({ tillId, ...(followed === undefined ? NO_EVENT : tillHeadOf(store, followed, tillId)) });
  });
  router.get(`${PERIODS}/:period/events`, auth, (request, response) => {
    const followed = followedOf(store, request, response);
    const period = periodNamed(request, periodsOf(followed), londonDate(clock.civilMs()));
    response.json(eventsOfPeriod({ store, rules }, followed, period.return, pageOf(request)));
  });
  return router;
}

/** Up to when the tills' events are known without gap, and which tills are silent (vat.md 8.1): a total without it misleads. */
function completenessView(store: PayerStore, { account: owner, number }: FollowedAccount, civilMs: number) {
  const seen = completenessOf(owner, new OwnState(store, number), {
    asOfMs: civilMs,
    silentAfterMs: TILL_SILENT_AFTER_MS,
  });
  return {
    asOf: timeText(seen.asOfMs),
    watermark: timeText(seen.watermarkMs),
    tills: seen.tills.length,
    silentTills: seen.silentTills,
    missingEvents: seen.missingEvents,
    provisional: seen.provisional,
  };
}

/** The schemes whose turnover limit the trader is above (vat.md section 5), as its close will be flagged. */
function noticesOf(
  { store, rules }: Pick<VatRouterDependencies, 'store' | 'rules'>,
  { account: owner, number }: FollowedAccount,
  { return: { period } }: TraderPeriod,
): readonly SchemeNotice[] {
  const view = new OwnState(store, number);
  return schemeNotices(owner, traderOf(owner, view), period, view, rules);
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** The newest block of the verified copy: what the figures rest on. */
function asOf({ head }: FollowedAccount): { readonly seq: number; readonly blockHash: string } | null {
  return head === null ? null : { seq: head.seq, blockHash: head.blockHash };
}

function periodLine(period: TraderPeriod) {
  const { start, end, due, periodKey, received } = obligationOf(period);
  const { closed, provisional, boxes, direction } = period.return;
  const { isOwed } = period;
  return { start, end, due, periodKey, received, closed, provisional, isOwed, netVatPence: boxes[5], direction };
}

function periodView(period: TraderPeriod) {
  const { account: counted, boxes, direction, poundsRule, errors } = period.return;
  return {
    ...periodLine(period),
    boxesPence: boxes,
    direction,
    poundsRule,
    errors,
    declaration: mtdReturnOf(period.periodKey, period.return),
    events: counted.n,
    takings: takingsByRate(counted).map(({ rate, grossPence, vatPence }) => ({
      treatment: rate.treatment,
      ratePct: rate.ratePct,
      dispatch: rate.dispatch,
      grossPence,
      vatPence,
    })),
    filed: period.filed === null ? null : filedView(period.filed),
  };
}

function filedView(filed: FiledReturn) {
  const { declared, payloadHash, head, differencePence, receivedAtMs, formBundleNumber, receiptId } = filed;
  const receivedAt = new Date(receivedAtMs).toISOString();
  return { receivedAt, formBundleNumber, receiptId, declared, differencePence, payloadHash, head };
}

function ownTrader(request: Request, response: Response): Account {
  const vrn = String(request.params['vrn']);
  if (!/^\d{9}$/.test(vrn)) throw new HttpProblem(404, 'NOT_FOUND', 'a VAT registration number has nine digits');
  const owner = account(`vat:${vrn}`);
  assertActsFor(response, owner);
  return owner;
}

function followedOf(store: PayerStore, request: Request, response: Response): FollowedAccount {
  const followed = store.account(ownTrader(request, response));
  if (followed === undefined) throw new HttpProblem(404, 'NOT_FOUND', 'this node does not follow the account');
  return followed;
}

/** By its key, its first day, or any day in it; `current` is the period of today. */
function periodNamed(request: Request, periods: readonly TraderPeriod[], today: LocalDate): TraderPeriod {
  const name = String(request.params['period']);
  const day = name === 'current' ? today : name;
  const found = periods.find(({ periodKey, return: { period } }) =>
    isLocalDate(day) ? period.start <= day && day <= period.end : periodKey === day,
  );
  if (found !== undefined) return found;
  throw new HttpProblem(404, 'NOT_FOUND', 'the trader has no such period: give its first day, its key, or "current"');
}

function pageOf(request: Request): {
  readonly box: keyof BoxShares | null;
  readonly limit: number;
  readonly from: EntryPosition;
} {
  const { box, limit = '100', after = '0.0' } = request.query;
  const place = PLACE.exec(String(after));
  if (place === null) throw new HttpProblem(422, 'INPUT_INVALID', 'after is what the page before gave as next');
  if (box !== undefined && !BOXES.has(Number(box))) {
    throw new HttpProblem(422, 'INPUT_INVALID', 'box is 1, 2, 4, 6, 7, 8 or 9: boxes 3 and 5 are sums of others');
  }
  const count = Number(limit);
  if (!Number.isSafeInteger(count) || count < 1 || count > PERIOD_EVENTS_MAX) {
    throw new HttpProblem(422, 'INPUT_INVALID', `limit is a whole number from 1 to ${PERIOD_EVENTS_MAX}`);
  }
  return {
    box: box === undefined ? null : (Number(box) as keyof BoxShares),
    limit: count,
    from: { seq: Number(place[1]), position: Number(place[2]) },
  };
}
