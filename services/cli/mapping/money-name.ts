const MONEY_NAME =
  /amount|price|discount|shipping|delivery|carriage|postage|refund|tax|vat|total|gross|net|\btips?\b|gratuity|surcharge|\bfees?\b|charge|deposit|voucher|gift|rounding|adjust|credit|value/i;
const CURRENCY_NAME = /(?:^|[._ ])currency(?:[ _]?code)?$/i;

/** Whether a column is named as one that may hold part of what was paid. */
export function isMoneyName(name: string): boolean {
  return MONEY_NAME.test(name) && !CURRENCY_NAME.test(name);
}

/** Whether a column is named as one of currencies: it is read as such, mapped or not. */
export function isCurrencyName(name: string): boolean {
  return CURRENCY_NAME.test(name);
}
