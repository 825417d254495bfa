import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkVectorFile, vectorFilesBelow } from '../../../../vectors/check-vectors.ts';

const FOLDERS = ['paye', 'paye-older-years'].map((name) => join(import.meta.dirname, '../../../../vectors', name));

describe('the published answers', () => {
  it('are given to the penny, every case of them', () => {
    const reports = FOLDERS.flatMap((folder) => vectorFilesBelow(folder).map((file) => checkVectorFile(file)));
    expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
    expect(reports.flatMap(({ notBuilt }) => [...notBuilt])).toEqual([]);
    expect(reports.reduce((sum, { passed }) => sum + passed, 0)).toBe(2_436);
  });
});
