import { describe, expect, it } from 'vitest';
import { type MtdErrorCode, mtdRefusal, mtdRefusalOf } from '../../../../../../libs/core/vat/mtd/error.ts';

const POUNDS_AND_PENCE = 'amount should be a monetary value (to 2 decimal places), between';

describe('a refusal', () => {
  // The status under which HMRC's API documents each of its codes.
  it.each<[number, MtdErrorCode, string]>([
    [400, 'VRN_INVALID', 'The provided VRN is invalid'],
    [400, 'PERIOD_KEY_INVALID', 'Invalid period key'],
    [400, 'INVALID_DATE_RANGE', 'Invalid date range, must be 366 days or less'],
    [401, 'INVALID_CREDENTIALS', 'Invalid authentication information provided'],
    [403, 'CLIENT_OR_AGENT_NOT_AUTHORISED', 'The client and/or agent is not authorised'],
    [403, 'DUPLICATE_SUBMISSION', 'The VAT return was already submitted for the given period'],
    [404, 'NOT_FOUND', 'The requested resource could not be found'],
    [406, 'ACCEPT_HEADER_INVALID', 'The accept header is missing or invalid'],
    [500, 'INTERNAL_SERVER_ERROR', 'An internal server error occurred'],
    [503, 'SERVICE_UNAVAILABLE', 'Service unavailable'],
  ])('%i %s', (status, code, message) => {
    expect(mtdRefusal(code)).toEqual({ status, body: { code, message } });
  });
});

describe('the refusal of faults that were found', () => {
  it('of one stands alone, under its own status', () => {
    expect(mtdRefusalOf([{ code: 'NOT_FINALISED', path: '/finalised' }])).toEqual({
      status: 403,
      body: { code: 'NOT_FINALISED', message: 'User has not declared VAT return as final' },
    });
    expect(mtdRefusalOf([{ code: 'VRN_INVALID', path: null }])).toEqual({
      status: 400,
      body: { code: 'VRN_INVALID', message: 'The provided VRN is invalid' },
    });
  });

  it('of several stands under INVALID_REQUEST, each with its path where it has one', () => {
    expect(
      mtdRefusalOf([
        { code: 'MANDATORY_FIELD_MISSING', path: '/periodKey' },
        { code: 'VRN_INVALID', path: null },
      ]),
    ).toEqual({
      status: 400,
      body: {
        code: 'INVALID_REQUEST',
        message: 'Invalid request',
        errors: [
          { code: 'MANDATORY_FIELD_MISSING', message: 'a mandatory field is missing', path: '/periodKey' },
          { code: 'VRN_INVALID', message: 'The provided VRN is invalid' },
        ],
      },
    });
  });

  it('says no more of a body that is no JSON object than that the request is invalid', () => {
    expect(mtdRefusalOf([{ code: 'INVALID_JSON', path: null }])).toEqual({
      status: 400,
      body: { code: 'INVALID_REQUEST', message: 'Invalid request' },
    });
  });

  it.each([
    ...['vatDueSales', 'vatDueAcquisitions', 'totalVatDue', 'vatReclaimedCurrPeriod'].map((name) => [
      name,
      `${POUNDS_AND_PENCE} -9,999,999,999,999.99 and 9,999,999,999,999.99`,
    ]),
    ['netVatDue', `${POUNDS_AND_PENCE} 0 and 99,999,999,999.99`],
    ...[
      'totalValueSalesExVAT',
      'totalValuePurchasesExVAT',
      'totalValueGoodsSuppliedExVAT',
      'totalAcquisitionsExVAT',
    ].map((name) => [name, 'The value must be between -9999999999999 and 9999999999999']),
  ])('names the limits of the money field %s', (name, message) => {
    expect(mtdRefusalOf([{ code: 'INVALID_MONETARY_AMOUNT', path: `/${name}` }])).toEqual({
      status: 400,
      body: { code: 'INVALID_MONETARY_AMOUNT', message },
    });
    // Another fault of the same field has its own words.
    expect(mtdRefusalOf([{ code: 'INVALID_NUMERIC_VALUE', path: `/${name}` }]).body.message).toBe(
      'please provide a numeric field',
    );
  });

  it('of none at all is our own fault', () => {
    expect(mtdRefusalOf([])).toEqual(mtdRefusal('INTERNAL_SERVER_ERROR'));
  });

  it('of money without a path has the limits of box 5', () => {
    expect(mtdRefusalOf([{ code: 'INVALID_MONETARY_AMOUNT', path: null }]).body.message).toBe(
      `${POUNDS_AND_PENCE} 0 and 99,999,999,999.99`,
    );
  });
});
