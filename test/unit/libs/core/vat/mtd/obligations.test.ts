import { describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  obligationsAnswer,
  periodsBetween,
  type VatObligation,
} from '../../../../../../libs/core/vat/mtd/obligations.ts';
import { cadencePeriodOfDay } from '../../../../../../libs/core/vat/state/vat-period.ts';

// HMRC's example 1 (obligations, 200), dated as the API shows it.
const FILED: VatObligation = {
  start: localDate('2017-01-01'),
  end: localDate('2017-03-31'),
  due: localDate('2017-05-07'),
  periodKey: '18A1',
  received: localDate('2017-05-06'),
};
const OWED: VatObligation = {
  start: localDate('2017-04-01'),
  end: localDate('2017-06-30'),
  due: localDate('2017-08-07'),
  periodKey: '18A2',
  received: null,
};
const SHOWN_FILED = {
  start: '2017-01-01',
  end: '2017-03-31',
  due: '2017-05-07',
  status: 'F',
  periodKey: '18A1',
  received: '2017-05-06',
};
const SHOWN_OWED = { start: '2017-04-01', end: '2017-06-30', due: '2017-08-07', status: 'O', periodKey: '18A2' };

/** The obligations that are shown, or status and code of the refusal. */
function asked(query: { from?: string; to?: string; status?: string }, obligations = [OWED, FILED]): unknown {
  const answer = obligationsAnswer({ from: query.from, to: query.to, status: query.status }, obligations);
  return 'body' in answer ? [answer.status, answer.body.code] : answer.obligations;
}

describe('obligations', () => {
  it('are shown as HMRC’s example shows them, by their start', () => {
    const year = { from: '2017-01-01', to: '2017-12-31' };
    expect(asked(year)).toEqual([SHOWN_FILED, SHOWN_OWED]);
    expect(asked(year, [FILED, OWED])).toEqual([SHOWN_FILED, SHOWN_OWED]);
  });

  it('are those of the status asked for', () => {
    const year = { from: '2017-01-01', to: '2017-12-31' };
    expect(asked({ ...year, status: 'O' })).toEqual([SHOWN_OWED]);
    expect(asked({ ...year, status: 'F' })).toEqual([SHOWN_FILED]);
    expect(asked({ ...year, status: 'o' })).toEqual([400, 'INVALID_STATUS']);
    expect(asked({ ...year, status: '' })).toEqual([400, 'INVALID_STATUS']);
  });

  it('need no dates where the open ones are asked for, and need them otherwise', () => {
    expect(asked({ status: 'O' })).toEqual([SHOWN_OWED]);
    expect(asked({ status: 'F' })).toEqual([400, 'INVALID_DATE_FROM']);
    expect(asked({})).toEqual([400, 'INVALID_DATE_FROM']);
    expect(asked({ status: 'O', from: '2017-01-01' })).toEqual([400, 'INVALID_DATE_TO']);
    expect(asked({ status: 'O', to: '2017-12-31' })).toEqual([400, 'INVALID_DATE_FROM']);
  });

  it('are in a range that has any of their days', () => {
    expect(asked({ from: '2017-03-31', to: '2017-04-01' })).toEqual([SHOWN_FILED, SHOWN_OWED]);
    expect(asked({ from: '2017-04-01', to: '2017-04-02' })).toEqual([SHOWN_OWED]);
    expect(asked({ from: '2017-03-30', to: '2017-03-31' })).toEqual([SHOWN_FILED]);
    expect(asked({ from: '2017-02-01', to: '2017-02-02' })).toEqual([SHOWN_FILED]);
    expect(asked({ from: '2016-01-01', to: '2016-12-31' })).toEqual([404, 'NOT_FOUND']);
    expect(asked({ from: '2017-07-01', to: '2017-12-31' })).toEqual([404, 'NOT_FOUND']);
  });

  it('that are none are not found', () => {
    expect(asked({ status: 'O' }, [FILED])).toEqual([404, 'NOT_FOUND']);
    expect(asked({ status: 'O' }, [])).toEqual([404, 'NOT_FOUND']);
  });
});

describe('the periods between two days', () => {
  const monthly = (first: string, last: string) =>
    periodsBetween(localDate(first), localDate(last), (day) => cadencePeriodOfDay(dayNumber(day), 'monthly', null)).map(
      ({ text }) => text,
    );

  it('go from the period of the first day to that of the last, without gap', () => {
    expect(monthly('2026-01-31', '2026-03-01')).toEqual([
      '2026-01-01/2026-01-31',
      '2026-02-01/2026-02-28',
      '2026-03-01/2026-03-31',
    ]);
    expect(monthly('2026-01-01', '2026-01-01')).toEqual(['2026-01-01/2026-01-31']);
    expect(monthly('2026-02-01', '2026-01-31')).toEqual([]);
  });
});
