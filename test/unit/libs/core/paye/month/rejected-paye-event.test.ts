import { describe, expect, it } from 'vitest';
import { rejectedPayeEvent } from '../../../../../../libs/core/paye/month/rejected-paye-event.ts';
import { paymentMade } from '../../../../../support/paye-payments.ts';

describe('a rejection', () => {
  it('names the event and the code, and changes nothing', () => {
    const event = paymentMade();
    expect(rejectedPayeEvent(event, 'BAD_PERIOD', { pointer: '/period' })).toEqual({
      outcome: 'rejected',
      results: [],
      changes: [],
      rejections: [
        {
          account: event.account,
          eventId: event.eventId,
          code: 'BAD_PERIOD',
          facts: { pointer: '/period' },
          receivedAtMs: event.receivedAtMs,
        },
      ],
    });
  });
});
