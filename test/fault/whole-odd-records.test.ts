import { describe, expect, it } from 'vitest';
import { openEmbeddedWhole } from '../support/embedded-whole.ts';
import { oddRecordsEndWhereTheyShould } from './odd-records.ts';

describe('records in the log that should not be there', () => {
  const whole = oddRecordsEndWhereTheyShould(async () => openEmbeddedWhole());

  it('leave a ledger that is whole', { timeout: 180_000 }, async () => {
    expect(await whole().service.stop()).toBe(0);
    const ledger = await whole().checkLedger({ complete: true });
    expect(ledger.entries).toBe(6);
  });
});
