/** Every topic of the house: the one table that creation, deployment and the services use (design section 4). */
export interface TopicSpec {
  readonly topic: string;
  /** Keyed topics share one partition count; `one` is the order of a ledger. */
  readonly partitions: 'keyed' | 'one';
  readonly retention: TopicRetention;
}

/** Kept for ever, or deleted record by record by the gateway once it stands in a topic of record (ingress); never by age. */
export type TopicRetention = 'forever' | 'until-forwarded';

export const PAYE_EVENTS = 'paye.events.v1';
export const VAT_EVENTS = 'vat.events.v1';
export const PAYMENTS = 'payments.v1';
export const LIABILITIES = 'liabilities.v1';
export const REJECTIONS = 'rejections.v1';
export const BLOCKS = 'blocks.v1';
export const ACKNOWLEDGEMENTS = 'acknowledgements.v1';
/** What the log knows of itself: its own id, the ledger that it is of, fingerprints of keys (log-register.ts). */
export const REGISTER = 'register.v1';

export const TOPICS: readonly TopicSpec[] = [
  { topic: PAYE_EVENTS, partitions: 'keyed', retention: 'forever' },
  { topic: VAT_EVENTS, partitions: 'keyed', retention: 'forever' },
  { topic: PAYMENTS, partitions: 'keyed', retention: 'forever' },
  { topic: LIABILITIES, partitions: 'keyed', retention: 'forever' },
  { topic: REJECTIONS, partitions: 'keyed', retention: 'forever' },
  { topic: ACKNOWLEDGEMENTS, partitions: 'keyed', retention: 'forever' },
  { topic: BLOCKS, partitions: 'one', retention: 'forever' },
  { topic: REGISTER, partitions: 'one', retention: 'forever' },
];

/**
 * What a client's own systems produce straight to Kafka; its ACL allows this topic alone. One partition: what a client sends is taken in
 * the order in which it was sent, whatever its keys.
 */
export function ingressTopic(clientId: string): TopicSpec {
  return { topic: `ingress.${clientId}.v1`, partitions: 'one', retention: 'until-forwarded' };
}

/** Default partitions of a keyed topic, set at creation. */
export const KEYED_PARTITIONS_DEFAULT = 12;
