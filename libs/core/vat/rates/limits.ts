/** The limits of what a VAT event may hold, for every door (HTTP, Kafka) and for tax. */

/** |paidPence| of a line, vat-tables.json E_AMOUNT_RANGE; also of a purchase and of a tender. */
export const AMOUNT_PENCE_MAX = 100_000_000_000;
/**
 * |totalPence| of one till's event: £9,999,999,999.99, the ten digits of pounds that a field of money has in RTI (data/fps). No sale was ever so
 * large, and a thousand of them are what one box of a VAT return can say (MTD VAT API: 13 digits of pounds).
 */
export const TILL_TOTAL_PENCE_MAX = 999_999_999_999;
/**
 * Any one sum of a period's account, either way: £1,000,000,000,000.00, a third of what the whole country earns in a year; a box of a VAT return
 * has one digit more. An event that would take a sum beyond it is refused. Boxes add up fewer than ninety such sums, and the
 * retail year's figures the sums of at most thirteen periods of one rate: neither leaves the safe integers, so all of it stays plain numbers.
 */
export const PERIOD_SUM_PENCE_MAX = 100_000_000_000_000;
/** What the sender of such an event is told. */
export const BEYOND_COUNTING = `a sum of the period would pass what is counted, ${PERIOD_SUM_PENCE_MAX} pence of one rate or kind: look at the period's earlier events`;
/** Lines of a till event: what tax remembers of a sale must fit one message of the log. */
export const TILL_LINES_MAX = 2_000;
export const TILL_TENDERS_MAX = 100;
export const LINE_ID_LENGTH_MAX = 40;
export const CATEGORY_LENGTH_MAX = 64;
export const DECIMAL_LENGTH_MAX = 20;
export const METHOD_LENGTH_MAX = 40;
export const REASON_LENGTH_MAX = 200;
export const REFERENCE_LENGTH_MAX = 100;
/** A till's clock may be this far ahead of the receipt before it is flagged (vat.md section 9). */
export const CLOCK_AHEAD_MAX_MS = 300_000;
/** A till's clock may go back so far from one event to the next before it is flagged. */
export const CLOCK_BACK_MAX_MS = 300_000;
/** Tills listed in one value of the state. */
export const TILLS_A_PAGE = 64;
/** Refunds and voids of one account that wait for their sale at once. */
export const HELD_EVENTS_MAX = 16;
/** How long one waits, by the receipt times of the account's later events. */
export const HELD_AGE_MAX_MS = 24 * 3_600_000;
/** Open gaps remembered of a till's sequence; the oldest is forgotten first. */
export const OPEN_GAPS_MAX = 16;
/** Z reports remembered of a till. */
export const Z_REPORTS_MAX = 8;
/** Periods of one trader that have events and are not closed: a till with a wrong clock opens no more. */
export const OPEN_PERIODS_MAX = 64;
/** What a trader said of its periods and schemes, each from a day on. */
export const REGISTRATIONS_MAX = 32;
/** Original periods told apart among the late events of one period. */
export const LATE_PERIODS_MAX = 16;
/** Ids of a period are remembered so long after a later period is closed hard: refunds name their sale, repeats are told. */
export const REMEMBERED_AFTER_CLOSE_DAYS = 400;
/** Ids forgotten with each event, while there are some to forget. */
export const FORGOTTEN_WITH_EVENT = 2;
/** Rates of one account told apart in goods and stock of the retail schemes. */
export const GOODS_RATES_MAX = 16;
