import { describe } from 'vitest';
import { openEmbeddedWhole } from '../support/embedded-whole.ts';
import { ratesThatChange } from './rates-changed.ts';

describe('rates that change between a crash and the restart', () => {
  ratesThatChange(3_000, async (env) => openEmbeddedWhole(env));
});
