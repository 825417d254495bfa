import { expect, it } from 'vitest';
import { workingKeysOf } from '../../../../../libs/core/ledger/entry/chain-keys.ts';
import { ChainWorkingKeys } from '../../../../../services/payer-node/follow/chain-working-keys.ts';
import { seededBytes } from '../../../../support/ledger-chain.ts';

it('the working keys of a chain that are made when they are asked for are those that core makes, each time', () => {
  for (const label of ['one chain', 'another']) {
    const chainKey = seededBytes(label, 32);
    const { tagKey, personKey } = workingKeysOf(chainKey);
    const keys = new ChainWorkingKeys(chainKey);
    for (const time of ['first', 'second']) {
      expect(Buffer.from(keys.personKey).toString('hex'), time).toBe(Buffer.from(personKey).toString('hex'));
      expect(Buffer.from(keys.tagKey).toString('hex'), time).toBe(Buffer.from(tagKey).toString('hex'));
    }
  }
});
