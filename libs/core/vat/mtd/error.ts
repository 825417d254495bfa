/** A fault as HMRC's MTD VAT API 1.0 words it: code and message of its OpenAPI file and source (hmrc/vat-api). */
export interface MtdErrorBody {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly errors?: readonly MtdErrorBody[];
}

/** What an endpoint answers instead of its result. */
export interface MtdRefusal {
  readonly status: 400 | 401 | 403 | 404 | 406 | 429 | 500 | 503;
  readonly body: MtdErrorBody;
}

const MONEY = 'amount should be a monetary value (to 2 decimal places), between';

/** Status and message by code. */
const WORDS = {
  VRN_INVALID: [400, 'The provided VRN is invalid'],
  INVALID_REQUEST: [400, 'Invalid request'],
  INVALID_JSON: [400, 'Invalid JSON'],
  PERIOD_KEY_INVALID: [400, 'Invalid period key'],
  MANDATORY_FIELD_MISSING: [400, 'a mandatory field is missing'],
  INVALID_STRING_VALUE: [400, 'please provide a string field'],
  INVALID_NUMERIC_VALUE: [400, 'please provide a numeric field'],
  // HMRC's own name for a declaration that is no boolean.
  UNMAPPED_PLAY_ERROR: [400, 'error.expected.jsboolean'],
  INVALID_MONETARY_AMOUNT: [400, `${MONEY} 0 and 99,999,999,999.99`],
  VAT_TOTAL_VALUE: [400, 'totalVatDue should be equal to the sum of vatDueSales and vatDueAcquisitions'],
  VAT_NET_VALUE: [
    400,
    'netVatDue should be the difference between the largest and the smallest values among totalVatDue and vatReclaimedCurrPeriod',
  ],
  NOT_FINALISED: [403, 'User has not declared VAT return as final'],
  DUPLICATE_SUBMISSION: [403, 'The VAT return was already submitted for the given period'],
  TAX_PERIOD_NOT_ENDED: [
    403,
    'The remote endpoint has indicated that the submission is for a tax period that has not ended',
  ],
  INVALID_DATE_FROM: [400, 'The provided from date is invalid'],
  INVALID_DATE_TO: [400, 'The provided to date is invalid'],
  INVALID_DATE_RANGE: [400, 'Invalid date range, must be 366 days or less'],
  INVALID_STATUS: [400, 'The provided data is failed validation, invalid status'],
  DATE_FROM_INVALID: [400, 'The provided from date is invalid'],
  DATE_TO_INVALID: [400, 'The provided to date is invalid'],
  DATE_RANGE_INVALID: [400, 'Invalid date range, must be 365 days or less'],
  DATE_RANGE_TOO_LARGE: [
    403,
    'The date of the requested return cannot be further than four years from the current date',
  ],
  CHARGE_REFERENCE_INVALID: [400, 'The provided chargeReference is invalid'],
  MATCHING_RESOURCE_NOT_FOUND: [404, 'Matching resource not found'],
  CLIENT_OR_AGENT_NOT_AUTHORISED: [403, 'The client and/or agent is not authorised'],
  RULE_INSOLVENT_TRADER: [403, 'The remote endpoint has indicated that the Trader is insolvent'],
  INVALID_CREDENTIALS: [401, 'Invalid authentication information provided'],
  NOT_FOUND: [404, 'The requested resource could not be found'],
  ACCEPT_HEADER_INVALID: [406, 'The accept header is missing or invalid'],
  MESSAGE_THROTTLED_OUT: [429, 'The request for the API is throttled as you have exceeded your quota.'],
  SERVICE_UNAVAILABLE: [503, 'Service unavailable'],
  INTERNAL_SERVER_ERROR: [500, 'An internal server error occurred'],
} as const satisfies Readonly<Record<string, readonly [MtdRefusal['status'], string]>>;

export type MtdErrorCode = keyof typeof WORDS;

/** One fault of a submission as HMRC's API reports it: `path` is a JSON pointer, null where the fault is of no field. */
export interface MtdFault {
  readonly code: MtdErrorCode;
  readonly path: string | null;
}

/** The refusal of one code, as the examples of the API show it. */
export function mtdRefusal(code: MtdErrorCode): MtdRefusal {
  const [status, message] = WORDS[code];
  return { status, body: { code, message } };
}

/** The limits of a money field in HMRC's words, where they are not those of box 5. */
const RANGES: ReadonlyMap<string, string> = new Map([
  ...['vatDueSales', 'vatDueAcquisitions', 'totalVatDue', 'vatReclaimedCurrPeriod'].map(
    (name) => [`/${name}`, `${MONEY} -9,999,999,999,999.99 and 9,999,999,999,999.99`] as const,
  ),
  ...['totalValueSalesExVAT', 'totalValuePurchasesExVAT', 'totalValueGoodsSuppliedExVAT', 'totalAcquisitionsExVAT'].map(
    (name) => [`/${name}`, 'The value must be between -9999999999999 and 9999999999999'] as const,
  ),
]);

/**
 * The refusal of faults that validateMtdReturn found, in its order. One fault stands alone, as in the examples of the API; several stand
 * under INVALID_REQUEST, each with its path, as HMRC's service wraps them.
 */
export function mtdRefusalOf(faults: readonly MtdFault[]): MtdRefusal {
  const [first] = faults;
  if (first === undefined) return mtdRefusal('INTERNAL_SERVER_ERROR');
  // HMRC tells a body that is no JSON object only that the request is invalid.
  if (first.code === 'INVALID_JSON') return mtdRefusal('INVALID_REQUEST');
  if (faults.length > 1) {
    const errors = faults.map((fault) => ({ ...wordsOf(fault), ...(fault.path === null ? {} : { path: fault.path }) }));
    return { status: 400, body: { ...mtdRefusal('INVALID_REQUEST').body, errors } };
  }
  return { status: WORDS[first.code][0], body: wordsOf(first) };
}

function wordsOf({ code, path }: MtdFault): MtdErrorBody {
  const range = code === 'INVALID_MONETARY_AMOUNT' && path !== null ? RANGES.get(path) : undefined;
  return { code, message: range ?? WORDS[code][1] };
}
