/** Limits of what payers ask and send, in one place. */
export const PULL_LIMITS = {
  /** Accounts of one request for registration. */
  registrationsMax: 1_000,
  /** Chains of one pull; whoever has more pulls again. */
  chainsMax: 10_000,
  /** Bytes of blocks in one answer: what is asked for without `maxBytes`, and the most that is given. */
  bytesDefault: 4 * 1024 * 1024,
  bytesMax: 16 * 1024 * 1024,
  /** Places of the log looked through in one answer for changes. */
  changesMax: 100_000,
  blocksPerChainMax: 10_000,
  rejectionsPerChainMax: 1_000,
  rejectionsMax: 20_000,
  /** Heads of one countersignature: a record of acknowledgements.v1 must hold them. */
  acknowledgedHeadsMax: 6_000,
  noteCharactersMax: 4_000,
} as const;
