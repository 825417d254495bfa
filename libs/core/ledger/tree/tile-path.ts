import { assert } from '../../errors/assert.ts';
import { TallyError } from '../../errors/tally-error.ts';

/** Hashes of a full tile, and entries of a full bundle (C2SP tlog-tiles). */
const TILE_WIDTH = 256;
const TILE_LEVEL_MAX = 63;

/** A tile of the public log. `width` is 1..255 for a partial tile, 256 for a full one. */
export interface Tile {
  /** 0..63, or `entries` for a bundle of leaf data. */
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

const PATH = /^\/tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** `/tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`. */
export function printTilePath(tile: Tile): string {
  assert(Number.isSafeInteger(tile.index) && tile.index >= 0, 'a tile index is a count', { index: tile.index });
  assert(tile.width >= 1 && tile.width <= TILE_WIDTH, 'a tile holds 1 to 256 hashes', { width: tile.width });
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `/tile/${tile.level}/${printIndex(tile.index)}${partial}`;
}

/** Throws TILE_PATH_INVALID for anything that printTilePath would not print. */
export function parseTilePath(path: string): Tile {
  const match = PATH.exec(path);
  const level = match?.[1] === 'entries' ? 'entries' : Number(match?.[1]);
  const index = Number((match?.[2] ?? '').replaceAll(/[x/]/g, ''));
  const width = match?.[3] === undefined ? TILE_WIDTH : Number(match[3]);
  const valid = match !== null && (level === 'entries' || level <= TILE_LEVEL_MAX) && Number.isSafeInteger(index);
  const tile: Tile = { level, index, width };
  if (!valid || width > TILE_WIDTH || printTilePath(tile) !== path) {
    throw new TallyError('TILE_PATH_INVALID', 'expected /tile/<level>/<index>[.p/<width>]', {});
  }
  return tile;
}

/** Width of the tile (level, index) in a tree of `size` leaves: 256 full, 1..255 partial, 0 where it has nothing. */
export function tileWidthAt(level: number | 'entries', index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

function printIndex(index: number): string {
  let text = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    text = `x${String(rest % 1000).padStart(3, '0')}/${text}`;
  }
  return text;
}
