import { TallyError } from '../../../../core/errors/tally-error.ts';

/** Errors of the broker after which a record is surely not in the log. */
const NOT_APPENDED = new Set([
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'NOT_ENOUGH_REPLICAS',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'INVALID_RECORD',
  'UNSUPPORTED_COMPRESSION_TYPE',
]);

/** What the broker itself said, at whatever depth kafkajs has wrapped it; '' where it said nothing. */
export function brokerErrorType(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('type' in at && typeof at.type === 'string') {
      return at.type;
    }
  }
  return '';
}

export function isOutOfRange(error: unknown): boolean {
  return brokerErrorType(error) === 'OFFSET_OUT_OF_RANGE';
}

export function isUnknownTopic(error: unknown): boolean {
  return ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'].includes(brokerErrorType(error));
}

/** True of a fault as `kafkaFault` gives it where a partition has no leader at the moment, or another than was asked: one is found within moments. */
export function isLeaderMoving({ facts }: TallyError): boolean {
  return facts['type'] === 'NOT_LEADER_FOR_PARTITION' || facts['type'] === 'LEADER_NOT_AVAILABLE';
}

/** True where an answer came that can not be decoded: neither the broker nor the connection is at fault, and asking again gives the same. */
export function isUnreadableAnswer(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TallyError) && !error.name.startsWith('KafkaJS')
    ? error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError
    : error instanceof Error &&
        ['KafkaJSNotImplemented', 'KafkaJSUnsupportedMagicByteInMessageSet'].includes(error.name);
}

/** Fate of what a failed request was to append: `failed` only where the broker has refused it. */
export function fateOf(error: unknown): 'failed' | 'unknown' {
  return NOT_APPENDED.has(brokerErrorType(error)) ? 'failed' : 'unknown';
}

/** An error of kafkajs as ours: LOG_UNAVAILABLE (trying again can help), or LOG_REFUSED where a permission or a limit stands against it. */
export function kafkaFault(error: unknown): TallyError {
  if (error instanceof TallyError) {
    return error;
  }
  const type = brokerErrorType(error);
  const said = error instanceof Error ? error.message : String(error);
  if (/AUTHORIZATION|AUTHENTICATION|SASL|POLICY|TOO_LARGE|INVALID/.test(type) || isNamed(error, 'KafkaJSSASL')) {
    return new TallyError('LOG_REFUSED', `Kafka refuses it: ${said}`, { type }, { cause: error });
  }
  return new TallyError(
    'LOG_UNAVAILABLE',
    `Kafka does not answer: ${said}`,
    { type },
    { retriable: true, cause: error },
  );
}

function isNamed(error: unknown, start: string): boolean {
  return error instanceof Error && error.name.startsWith(start);
}

/** Rejects with LOG_UNAVAILABLE after the time: no promise of the client library is waited for without end (kafkajs #659, #1441). */
export function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new TallyError(
          'LOG_UNAVAILABLE',
          `Kafka does not answer: no ${what} within ${timeoutMs} ms`,
          { what },
          { retriable: true },
        ),
      );
    const timer = setTimeout(late, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
