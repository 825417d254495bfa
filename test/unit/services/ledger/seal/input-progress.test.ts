import { describe, expect, it } from 'vitest';
import { InputProgress } from '../../../../../services/ledger/seal/input-progress.ts';

describe('InputProgress', () => {
  it('covers up to right behind the last message before the first that is pinned', () => {
    const track = new InputProgress('liabilities.v1', 1, 5);
    track.read(5);
    const pinned = track.read(8);
    pinned.pins = 1;
    track.read(9);
    expect(track.advance()).toEqual({ topic: 'liabilities.v1', partition: 1, next: 6 });
    expect(track.advance()).toBeNull();
    pinned.pins = 0;
    expect(track.hasAdvanced).toBe(true);
    expect(track.advance()).toEqual({ topic: 'liabilities.v1', partition: 1, next: 10 });
  });

  it('proposes nothing where nothing was read', () => {
    const track = new InputProgress('acknowledgements.v1', 0, 0);
    expect(track.hasAdvanced).toBe(false);
    expect(track.advance()).toBeNull();
  });

  it('goes through many thousands of messages', () => {
    const track = new InputProgress('liabilities.v1', 0, 0);
    let last = track.read(0);
    last.pins = 1;
    for (let offset = 1; offset < 5_000; offset += 1) {
      const message = track.read(offset);
      message.pins = 1;
      last.pins = 0;
      expect(track.advance()).toEqual({ topic: 'liabilities.v1', partition: 0, next: offset });
      last = message;
    }
  });
});
