import { EVENT_DATE_EXPECTED, isEventDate } from '../calendar/event-date.ts';
import { isPrintableText } from '../encoding/printable-text.ts';
import type { Fault } from '../errors/fault.ts';
import { isAccount } from '../identity/account.ts';
import { isUuid } from '../identity/event-id.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * One movement of money, in pence: £1,000,000,000,000.00. All that HMRC receives in a year is less (£858,600,000,000 in 2024-25), and a box of a VAT
 * return, whose 13 digits of pounds say the most that anybody can owe at once, is ten times as wide. What is summed up of it has no limit (PenceSum).
 */
const AMOUNT_PENCE_MAX = 100_000_000_000_000;
const REFERENCE_LENGTH_MAX = 100;
const FIELDS: ReadonlySet<string> = new Set([
  'eventId',
  'account',
  'direction',
  'amountPence',
  'bookedOn',
  'reference',
]);

/** Every fault of a payment as the gateway takes it (`{eventId, account, direction, amountPence, bookedOn, reference?}`). */
export function checkMoneyMoved(json: unknown): readonly Fault[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return [{ code: 'E_JSON', pointer: '', detail: 'a payment is a JSON object' }];
  }
  const fields = json as Fields;
  const faults: Fault[] = [];
  for (const name of Object.keys(fields)) {
    if (FIELDS.has(name)) continue;
    faults.push({ code: 'UNKNOWN_FIELD', pointer: `/${pointerPart(name)}`, detail: 'a payment has no such field' });
  }
  if (typeof fields.eventId !== 'string' || !isUuid(fields.eventId)) {
    faults.push({ code: 'E_EVENT_ID', pointer: '/eventId', detail: 'a lower-case UUID' });
  }
  return [...faults, ...moneyMovedFaults(fields)];
}

/** The faults of what a movement says, from JSON or from the log. */
export function moneyMovedFaults(fields: Fields): readonly Fault[] {
  const { account, direction, amountPence, bookedOn, reference } = fields;
  const faults: Fault[] = [];
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  if (typeof account !== 'string' || !isAccount(account)) {
    add('ACCOUNT_INVALID', '/account', 'paye:123/AB456 or vat:123456789');
  }
  if (direction !== 'received' && direction !== 'repaid') add('DIRECTION', '/direction', 'received or repaid');
  if (!Number.isSafeInteger(amountPence) || (amountPence as number) < 1 || (amountPence as number) > AMOUNT_PENCE_MAX) {
    add('AMOUNT_INVALID', '/amountPence', `whole pence from 1 to ${AMOUNT_PENCE_MAX}, in both directions`);
  }
  if (!isEventDate(bookedOn)) add('DATE_INVALID', '/bookedOn', EVENT_DATE_EXPECTED);
  const absent = reference === undefined || reference === null;
  if (!absent && !isPrintableText(reference, REFERENCE_LENGTH_MAX)) {
    add('FIELD_TYPE', '/reference', `printable text of at most ${REFERENCE_LENGTH_MAX} characters`);
  }
  return faults;
}

function pointerPart(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}
