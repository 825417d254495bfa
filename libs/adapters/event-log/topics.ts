/** Every topic of the house: the one table that creation, deployment and the services use (design section 4). */
export interface TopicSpec {
  readonly topic: string;
  /** Keyed topics share one partition count; `one` is the order of a ledger. */
  readonly partitions: 'keyed' | 'one';
  /** Kept for ever, or until forwarded (ingress). */
  readonly retention: 'forever';
}

export const PAYE_EVENTS = 'paye.events.v1';
export const VAT_EVENTS = 'vat.events.v1';
export const PAYMENTS = 'payments.v1';
export const LIABILITIES = 'liabilities.v1';
export const REJECTIONS = 'rejections.v1';
export const BLOCKS = 'blocks.v1';
export const ACKNOWLEDGEMENTS = 'acknowledgements.v1';

export const TOPICS: readonly TopicSpec[] = [
  { topic: PAYE_EVENTS, partitions: 'keyed', retention: 'forever' },
  { topic: VAT_EVENTS, partitions: 'keyed', retention: 'forever' },
  { topic: PAYMENTS, partitions: 'keyed', retention: 'forever' },
  { topic: LIABILITIES, partitions: 'keyed', retention: 'forever' },
  { topic: REJECTIONS, partitions: 'keyed', retention: 'forever' },
  { topic: ACKNOWLEDGEMENTS, partitions: 'keyed', retention: 'forever' },
  { topic: BLOCKS, partitions: 'one', retention: 'forever' },
];

/** Default partitions of a keyed topic, set at creation. */
export const KEYED_PARTITIONS_DEFAULT = 12;
