import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadGatewayKeys } from '../../../../../libs/adapters/access/key-files.ts';
import { nodeRandom } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../../../../libs/adapters/event-log/event-log.ts';
import { PAYE_EVENTS } from '../../../../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { readSubmissions } from '../../../../../libs/adapters/submissions/submissions.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../../../../libs/adapters/time/clock.ts';
import type { PersonToken } from '../../../../../libs/core/identity/event-id.ts';
import type { PreparedEvent } from '../../../../../services/gateway/intake/prepared-event.ts';
import { Intake } from '../../../../../services/gateway/intake/take-events.ts';
import { vaultSeal } from '../../../../../services/gateway/store/person-vault.ts';
import {
  openReservationStore,
  type ReservationStore,
} from '../../../../../services/gateway/store/reservation-store.ts';
import { paymentJson } from '../../../../support/submissions.ts';

const RULES = loadTaxRules();
const SOMEBODY = 'ab'.repeat(16) as PersonToken;

let folder: string;
let log: EventLog;
let store: ReservationStore;
let intake: Intake;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tally-intake-'));
  log = await openEmbeddedLog({ folder: join(folder, 'log') });
  await log.ensureTopics([{ topic: PAYE_EVENTS, partitions: 1 }]);
  const { ledgerName, signer, vaultKey } = loadGatewayKeys(folder);
  const vault = vaultSeal(vaultKey, nodeRandom);
  store = await openReservationStore({ folder: join(folder, 'gateway'), ledgerName }, { vault });
  const partitions = new Map([[PAYE_EVENTS, 1]]);
  intake = new Intake(
    { ledgerName, signer, partitions, groupEventsMax: 100, waitingEventsMax: 100 },
    { log, store, clock: systemClock, logger: createLogger({ service: 'test', level: 'fatal' }) },
    new Map(),
  );
});

afterEach(async () => {
  await intake.drain();
  await store.close();
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

function payment(index: number, person: PersonToken | null): PreparedEvent {
  const [draft] = readSubmissions('paye', paymentJson(), RULES).drafts;
  if (draft === undefined) throw new Error('the sample is at fault');
  return { draft: { ...draft, index }, person };
}

describe('an event that has no form in the log', () => {
  it('is the fault of its own request: others of the same group are taken', async () => {
    const bad = intake.take([payment(0, SOMEBODY), payment(1, null)]);
    const good = intake.take([payment(0, SOMEBODY)]);
    expect(await bad).toEqual({ kind: 'unwritable', events: [{ index: 1, code: 'PERSON_MISSING' }] });
    expect(await good).toMatchObject({ kind: 'taken', fresh: [{ person: SOMEBODY }] });
    expect(await log.bounds({ topic: PAYE_EVENTS, partition: 0 })).toEqual({ low: 0, high: 1 });
  });

  it('was never reserved', () => {
    expect(intake.isReserved(payment(0, null))).toBe(false);
  });
});
