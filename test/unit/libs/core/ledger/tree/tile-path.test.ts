import { describe, expect, it } from 'vitest';
import { parseTilePath, printTilePath, tileWidthAt } from '../../../../../../libs/core/ledger/tree/tile-path.ts';

describe('paths of tiles', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, '/tile/0/000'],
    [{ level: 2, index: 1234067, width: 256 }, '/tile/2/x001/x234/067'],
    [{ level: 0, index: 1000, width: 17 }, '/tile/0/x001/000.p/17'],
    [{ level: 'entries', index: 273, width: 112 }, '/tile/entries/273.p/112'],
  ] as const)('%j is %s', (tile, path) => {
    expect(printTilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each([
    '/tile/0/0',
    '/tile/00/000',
    '/tile/64/000',
    '/tile/0/x000/001',
    '/tile/0/001/002',
    '/tile/0/000.p/0',
    '/tile/0/000.p/256',
    '/tile/0/000.p/017',
    '/tile/0/000/',
    '/tile/0/../000',
    '/tile/x/000',
  ])('%s is no path of a tile', (path) => {
    expect(() => parseTilePath(path)).toThrow(expect.objectContaining({ code: 'TILE_PATH_INVALID' }));
  });

  it('a tree of 70,000 has the tiles that C2SP tlog-tiles counts', () => {
    expect(tileWidthAt(0, 272, 70_000)).toBe(256);
    expect(tileWidthAt(0, 273, 70_000)).toBe(112);
    expect(tileWidthAt('entries', 273, 70_000)).toBe(112);
    expect(tileWidthAt(1, 0, 70_000)).toBe(256);
    expect(tileWidthAt(1, 1, 70_000)).toBe(17);
    expect(tileWidthAt(2, 0, 70_000)).toBe(1);
    expect(tileWidthAt(0, 274, 70_000)).toBe(0);
  });
});
