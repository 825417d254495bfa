/**
 * The one error of this house: a code from a closed vocabulary, typed facts, and whether trying again can help.
 * The same code labels the metric, the dead letter and the HTTP problem. Facts never hold the value of a personal field.
 */
export class TallyError extends Error {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly retriable: boolean;

  constructor(
    code: string,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options: { readonly retriable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TallyError';
    this.code = code;
    this.facts = facts;
    this.retriable = options.retriable ?? false;
  }
}

/** True for a TallyError with this code: the way to catch one fault and let every other pass. */
export function hasCode(error: unknown, code: string): error is TallyError {
  return error instanceof TallyError && error.code === code;
}
