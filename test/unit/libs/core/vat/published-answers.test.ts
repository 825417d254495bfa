import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkVectorFile, vectorFilesBelow } from '../../../../vectors/check-vectors.ts';

const FOLDER = join(import.meta.dirname, '../../../../vectors/vat');

describe('the published answers', () => {
  it('are given to the penny, every case of them', () => {
    const reports = vectorFilesBelow(FOLDER).map((file) => checkVectorFile(file));
    expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
    expect(reports.flatMap(({ notBuilt }) => [...notBuilt])).toEqual([]);
    expect(reports.reduce((sum, { passed }) => sum + passed, 0)).toBe(308);
  });
});
