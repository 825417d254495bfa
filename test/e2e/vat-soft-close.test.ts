import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { addDays, dayNumber, type LocalDate } from '../../libs/core/calendar/local-date.ts';
import { londonDate } from '../../libs/core/calendar/london-time.ts';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import { type VatPeriod, vatPeriodOfDay } from '../../libs/core/vat/state/vat-period.ts';
import { AGENT_KEY, type HmrcServices, startHmrcServices } from '../support/hmrc-services.ts';
import { PAYER_VAT, uuidOfName } from '../support/own-events.ts';
import {
  type NodeUnderTest,
  openPayerNode,
  PAYER_CLIENT_KEY,
  removeFolder,
  until,
} from '../support/payer-node-fixture.ts';

const VRN = PAYER_VAT.slice('vat:'.length);
const DAY_MS = 86_400_000;
const LOOK_MS = 100;
/** The quarter before last, and the last one: both have ended by any clock. */
const last = quarterBefore(vatPeriodOfDay(dayNumber(londonDate(Date.now())), 1));
const earlier = quarterBefore(last);

let hmrc: HmrcServices;
let under: NodeUnderTest;
let server: HttpServer;
/** The node's clock runs, and stands as far behind as it is told. */
let behindMs: number;
let prevHash: string | null = null;
let seq = 0;

function quarterBefore({ start }: VatPeriod): VatPeriod {
  return vatPeriodOfDay(dayNumber(start) - 1, 1);
}

/** Moves the node's clock to noon of a day. */
function goTo(day: LocalDate): void {
  behindMs = Date.now() - (dayNumber(day) * DAY_MS + DAY_MS / 2);
}

async function openNode(folder?: string): Promise<void> {
  const reach = { url: hmrc.url, clientKey: AGENT_KEY, timeoutMs: 10_000 };
  under = await openPayerNode(
    {
      gateway: createGatewayClient(reach, { fetch }),
      ledger: createLedgerClient(reach, { fetch }),
      gatewayKey: hmrc.gatewayKey,
    },
    {
      pullEveryMs: 100,
      closeLookEveryMs: LOOK_MS,
      closeHoldLeastMs: 0,
      closeHoldMostMs: 0,
      clock: { ...systemClock, civilMs: () => Date.now() - behindMs },
      ...(folder === undefined ? {} : { folder }),
    },
  );
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers: [under.node.router] }, { logger }),
  );
  under.node.start();
}

async function stopNode(): Promise<void> {
  await server.stop(1_000);
  await under.node.stop();
}

/** A sale of 12.00 at the standard rate. */
async function sell(day: LocalDate): Promise<void> {
  seq += 1;
  const lines = [{ id: '1', category: 'standard', paidPence: 1_200 }];
  const payments = [{ method: 'card', amountPence: 1_200 }];
  const of = { schema: 1, eventId: uuidOfName(`sale ${seq}`), vrn: VRN, tillId: 'T1', seq, prevHash, type: 'SALE' };
  const event = { ...of, occurredAt: `${day}T10:00:00Z`, currency: 'GBP', lines, totalPence: 1_200, payments };
  prevHash = createHash('sha256').update(canonicalJson(event)).digest('hex');
  expect(await under.node.submit('vat', [event])).toMatchObject({ queued: 1, refused: [] });
}

interface PeriodSeen {
  readonly closed: string;
  readonly events: number;
  readonly boxesPence: Readonly<Record<number, number>>;
}

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${server.url}/payer/v1/vat/${VRN}/periods/${path}`, {
    headers: { authorization: `Bearer ${PAYER_CLIENT_KEY}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

/** What the trader's own copy has of a period's closes, in the order of the chain. */
async function closesOf(period: VatPeriod): Promise<readonly string[]> {
  const { events } = await get<{ events: readonly { what: string }[] }>(`${period.start}/events?limit=1000`);
  return events.map(({ what }) => what).filter((what) => what.startsWith('close of'));
}

/** Long enough for several looks of the closer. */
function looks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5 * LOOK_MS));
}

beforeAll(async () => {
  hmrc = await startHmrcServices();
  goTo(addDays(earlier.end, 7));
  await openNode();
  await sell(earlier.start);
  await sell(last.start);
  await until(() => under.node.counts().decided === 2);
});

afterAll(async () => {
  await stopNode();
  await removeFolder(under.folder);
  await hmrc.stop();
  await rm(hmrc.dataDir, { recursive: true, force: true });
});

describe('a running payer’s node', () => {
  it('closes no period while its grace of seven days runs', async () => {
    await looks();
    expect(under.node.counts().decided).toBe(2);
    expect(await get(earlier.start)).toMatchObject({ closed: 'open', provisional: true });
  });

  it('closes the period softly on the day after, through the gateway, tax and ledger, and no other', async () => {
    goTo(addDays(earlier.end, 8));
    await until(() => under.node.counts().decided === 3);
    expect(await get(earlier.start)).toMatchObject({ closed: 'soft', provisional: true });
    expect(await closesOf(earlier)).toEqual([`close of ${earlier.start}`]);
    expect(await get(last.start)).toMatchObject({ closed: 'open' });
  });

  it('still counts what comes late in the period that is closed softly', async () => {
    await sell(earlier.end);
    await until(() => under.node.counts().decided === 4);
    const seen = await get<PeriodSeen>(earlier.start);
    expect(seen).toMatchObject({ closed: 'soft', boxesPence: { 1: 400, 6: 2_000 } });
    expect((await get<PeriodSeen>(last.start)).boxesPence[1]).toBe(200);
  });

  it('does not close it again, on later days or after a restart, and closes the next one when its turn comes', async () => {
    goTo(addDays(earlier.end, 9));
    await looks();
    const { folder } = under;
    await stopNode();
    await openNode(folder);
    await looks();
    expect(under.node.counts()).toMatchObject({ unsent: 0, decided: 4, rejected: 0 });
    goTo(addDays(last.end, 8));
    await until(() => under.node.counts().decided === 5);
    expect(await get(last.start)).toMatchObject({ closed: 'soft' });
    expect([await closesOf(earlier), await closesOf(last)]).toEqual([
      [`close of ${earlier.start}`],
      [`close of ${last.start}`],
    ]);
    expect([...under.node.divergences()]).toEqual([]);
    expect(under.fatal).toEqual([]);
  });
});
