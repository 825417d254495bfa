/** Every limit on what comes in over HTTP, in one place. */

/** Bytes of a request's body, inflated; more is BODY_TOO_LARGE. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Events of one request. */
export const EVENTS_PER_REQUEST_MAX = 1_000;
/** Faults listed in one answer; the rest are counted in `detail`. */
export const FAULTS_LISTED_MAX = 200;

/** Characters of the texts of a PAYE event; those of VAT events stand in libs/core/vat/rates/limits.ts. */
export const TEXT_CHARACTERS_MAX = 100;
export const WORKS_NUMBER_CHARACTERS_MAX = 35;
export const CODE_CHARACTERS_MAX = 40;
/** Kinds of statutory pay in one employer's claims. */
export const STATUTORY_PAY_KINDS_MAX = 10;

/** Milliseconds for the headers, and for a whole request. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 60_000;
/**
 * A connection without a request: clients are told that it is kept for the shorter time, and it is kept for the longer. Where both are the
 * same, a request that a busy client sends at the end of it meets a connection that is being closed, and is reset.
 */
export const IDLE_CONNECTION_TOLD_SECONDS = 5;
export const IDLE_CONNECTION_MS = 65_000;
/** Bytes that may wait in a live stream's connection before it is cut: the reader comes back with Last-Event-ID. */
export const STREAM_BACKLOG_BYTES_MAX = 1024 * 1024;
export const STREAM_HEARTBEAT_MS = 15_000;
export const STREAM_REPLAY_EVENTS_MAX = 256;
export const STREAM_CLIENTS_MAX = 500;
/** The part of a stream's places that readers without a key may have, and the part for one client, or for one address without a key. */
export const STREAM_ANONYMOUS_SHARE = 0.8;
export const STREAM_HOLDER_SHARE = 0.25;
/** Requests of one client in a second; beyond it TOO_MANY_REQUESTS. */
export const REQUESTS_PER_CLIENT_SECOND_MAX = 500;
/** Wrong keys of one address (or of one client whose key has expired) in a window; beyond it TOO_MANY_WRONG_KEYS. */
export const WRONG_KEYS_PER_WINDOW_MAX = 10;
export const WRONG_KEY_WINDOW_MS = 60_000;
/** Addresses and clients whose wrong keys are counted at a time, some 200 bytes each. */
export const WRONG_KEY_HOLDERS_MAX = 10_000;

/** Bytes of answers that we read, inflated; more is ANSWER_TOO_LARGE. A pull has 16 MiB of blocks, and proofs and rejections beside them. */
export const PULL_ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** A list of all changed chains of 100,000 places is some 4 MB; the receipts of a request with 1,000 events, each repeated alone, 3 MB. */
export const JSON_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** The longest that a server may make us wait: a timer of Node that is set for longer than 24 days fires at once. */
export const RETRY_AFTER_MS_MAX = 600_000;
/** A stream that says nothing for this long, three heartbeats of ours, is cut and asked for again. */
export const STREAM_SILENCE_MS = 45_000;

/** Requests that are being answered at a time, health, metrics and live streams apart; beyond it SERVICE_BUSY. */
export const REQUESTS_IN_WORK_MAX = 1_000;
/** Bytes of bodies, inflated, from their reading until their answer is sent: eight of the largest. */
export const BODIES_IN_WORK_BYTES_MAX = 8 * BODY_BYTES_MAX;
/** Requests whose bodies wait unread for room, and how long each may. */
export const BODIES_WAITING_MAX = 512;
export const BODY_WAIT_MS_MAX = 10_000;
/** The part of that room and of those places that one client may have. */
export const CLIENT_SHARE = 0.5;
/** Bytes that a compressed body may inflate to for each of its own, once it is beyond the free part: JSON of events is some 20 to 1. */
export const BODY_RATIO_MAX = 100;
export const BODY_RATIO_FREE_BYTES = 64 * 1024;
/** Values of a JSON body, counted (some 1.5 ms for a megabyte) in those beyond the uncounted size: an event has some 15 bytes for each. */
export const BODY_VALUES_MAX = 500_000;
export const BODY_UNCOUNTED_BYTES = 1024 * 1024;
/** A body beyond this is parsed in a turn of its own. */
export const LARGE_BODY_BYTES = 64 * 1024;
