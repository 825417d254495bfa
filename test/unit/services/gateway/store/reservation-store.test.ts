import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { VaultSeal } from '../../../../../services/gateway/store/person-vault.ts';
import { openReservationStore } from '../../../../../services/gateway/store/reservation-store.ts';

const NO_VAULT: VaultSeal = {
  seal: () => {
    throw new Error('there are no persons here');
  },
  open: () => {
    throw new Error('there are no persons here');
  },
};

it('refuses what is still written after it was closed, instead of ending the process out of nowhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reservations-'));
  try {
    const store = await openReservationStore({ folder, ledgerName: 'tallystick-test' }, { vault: NO_VAULT });
    const place = { topic: 'ingress.payer.v1', partition: 0 };
    const before = store.setIngressOffset({ ...place, offset: 1 });
    const closing = store.close();
    const closed = { code: 'STORE_CLOSED' };
    const late = [
      store.setIngressOffset({ ...place, offset: 2 }),
      store.reserve({ receipts: [], reservations: [], persons: [] }),
      store.settle([1], new Map(), []),
      store.restore([]),
      store.beginRecount(),
      store.endRecount('log of the test', [], new Map()),
    ].map((write) => expect(write).rejects.toMatchObject(closed));
    await Promise.all([...late, before, closing]);
    const again = await openReservationStore({ folder, ledgerName: 'tallystick-test' }, { vault: NO_VAULT });
    expect(again.ingressOffset(place)).toBe(1);
    expect(again.isComplete).toBe(false);
    await again.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
