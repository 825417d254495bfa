import { defineConfig } from 'vitest/config';

/** The tests that mutants of the rules are run against: the fast ones. */
export default defineConfig({
  test: {
    include: [
      'test/unit/libs/core/{paye,vat}/**/*.test.ts',
      'test/property/{paye,vat-boxes,vat-sums,vat-returns}.test.ts',
    ],
    environment: 'node',
    pool: 'forks',
    testTimeout: 20_000,
  },
});
