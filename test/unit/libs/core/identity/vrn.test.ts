import { describe, expect, it } from 'vitest';
import { readVrn, vrnCheckDigits } from '../../../../../libs/core/identity/vrn.ts';

describe('a VAT registration number', () => {
  it('has check digits by one of two rules (HMRC: 101747696 and 101747641)', () => {
    expect(vrnCheckDigits('101747696')).toBe('mod97');
    expect(vrnCheckDigits('101747641')).toBe('mod97-55');
    expect(vrnCheckDigits('101747692')).toBeNull();
  });

  it('whose sum is a multiple of 97 ends in 97, never 00', () => {
    expect(readVrn('235410397')).toMatchObject({ valid: true, algorithm: 'mod97' });
    expect(readVrn('000000000')).toEqual({ valid: false, reason: 'CHECK_DIGITS' });
  });

  it('is read as people write it', () => {
    expect(readVrn('gb 101.7476-96')).toMatchObject({ normalised: '101747696', region: 'GB', kind: 'standard' });
    expect(readVrn('XI101747696')).toMatchObject({ normalised: '101747696', region: 'XI' });
  });

  it('of a government department or health authority has a range instead of check digits', () => {
    expect(readVrn('GD499')).toEqual({ valid: true, kind: 'government', normalised: 'GD499' });
    expect(readVrn('GBHA500')).toEqual({ valid: true, kind: 'health', normalised: 'HA500' });
    expect([readVrn('GD500'), readVrn('HA499')]).toEqual(Array(2).fill({ valid: false, reason: 'RANGE' }));
  });
});
