import { describe, expect } from 'vitest';
import { openEmbeddedWhole } from '../support/embedded-whole.ts';
import { filesUnder } from '../support/find-values.ts';
import { personalDataStaysOut } from './personal-data.ts';

describe('personal data in one process', () => {
  personalDataStaysOut({
    open: async (env) => openEmbeddedWhole(env),
    elsewhere: async ({ service }) => {
      expect(filesUnder(service.dataDir).map(([name]) => name)).toContain('log/data.mdb');
      return [];
    },
  });
});
