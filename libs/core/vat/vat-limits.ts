/** The limits of what a VAT event may hold, for every door (HTTP, Kafka) and for tax. */

/** |paidPence| of a line, vat-tables.json E_AMOUNT_RANGE; also of a purchase and of a tender. */
export const AMOUNT_PENCE_MAX = 100_000_000_000;
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
/** Refunds and voids of one account that wait for their sale at once. */
export const HELD_EVENTS_MAX = 16;
/** How long one waits, by the receipt times of the account's later events. */
export const HELD_AGE_MAX_MS = 24 * 3_600_000;
/** Open gaps remembered of a till's sequence; the oldest is forgotten first. */
export const OPEN_GAPS_MAX = 16;
/** Z reports remembered of a till. */
export const Z_REPORTS_MAX = 8;
