/** A folder of the source, the floor it is on, and what it holds. */
export interface Room {
  readonly folder: string;
  /** A room imports from lower floors and from itself, never from its own floor or a higher one. */
  readonly floor: number;
  /** What the room holds, in one sentence for a newcomer. */
  readonly holds: string;
}

/** A part of the house, from the ground up, and the rule that sets it apart. */
export interface Building {
  readonly name: string;
  readonly rule: string;
  readonly rooms: readonly Room[];
}

const room = (folder: string, floor: number, holds: string): Room => ({ folder, floor, holds });

/**
 * Every room of the house. `rooms.test.ts` holds the code against it, and `npm run rooms` draws it into docs/architecture.md.
 */
export const HOUSE: readonly Building[] = [
  {
    name: 'libs/core',
    rule: 'The rules, pure: no clock, network, file, environment or randomness. Imports nothing but itself and @noble/*.',
    rooms: [
      room('libs/core/errors', 0, 'The one type of error: a code, a sentence and typed facts.'),
      room('libs/core/encoding', 1, 'Base64, hex, canonical JSON and decimals, the order of bytes, SHA-256.'),
      room('libs/core/identity', 1, 'Accounts, PAYE references, VAT numbers, NINOs, ids of events: read and printed.'),
      room('libs/core/money', 1, 'Whole pence, and HMRC’s own roundings.'),
      room('libs/core/calendar', 2, 'Civil dates, tax years and months, London time, bank holidays.'),
      room('libs/core/ledger/tree', 2, 'RFC 6962 hash trees and their proofs.'),
      room('libs/core/decisions', 2, 'What goes out: a decision, its results by head, the change of state it makes.'),
      room('libs/core/events', 3, 'What comes in: every event, defined once.'),
      room('libs/core/ledger/note', 3, 'Signed notes: checkpoints, receipts, rejections, acknowledgements, keys.'),
      room('libs/core/ledger/entry', 4, 'One event, one entry: its canonical bytes.'),
      room('libs/core/ledger/block', 5, 'Headers and totals of blocks, and how a block is sealed.'),
      room('libs/core/paye/employment', 4, 'The running state of one employment.'),
      room('libs/core/paye/rates', 5, 'PAYE rate cards by date: codes, scales, NICs, loans.'),
      room('libs/core/paye/month', 6, 'The employer: claims, allowance, levy, the bill of a month.'),
      room('libs/core/paye/assess', 6, 'Income tax, NICs and loans of one payment, worked out.'),
      room('libs/core/paye/payment', 7, 'One payment to one person: checked, decided, followed on a payslip.'),
      room('libs/core/vat/rates', 4, 'VAT rates and the categories of supplies, by date.'),
      room('libs/core/vat/state', 5, 'What is known of a trader: periods, takings, tills, remembered sales.'),
      room('libs/core/vat/schemes', 6, 'Flat rate, retail schemes, cash accounting, payments on account.'),
      room('libs/core/vat/standing', 6, 'Points, penalties and interest of a trader.'),
      room('libs/core/vat/return', 7, 'The nine boxes of a period, and the limits of schemes.'),
      room('libs/core/vat/check', 8, 'Faults of a till event, purchase, adjustment or registration.'),
      room('libs/core/vat/mtd', 8, 'HMRC’s own VAT interface: obligations, returns, liabilities, penalties.'),
      room('libs/core/vat/decide', 9, 'A VAT event decided on the state of its trader.'),
      room('libs/core/tax', 10, 'The one way into both taxes: an event in, a decision out.'),
      room('libs/core/ledger/verify', 11, 'A chain checked link by link, and each liability worked out again.'),
    ],
  },
  {
    name: 'libs/till',
    rule: 'A till’s own arithmetic, pure, for those who build tills. May use core.',
    rooms: [room('libs/till', 11, 'Prices to lines, discounts and refunds shared out, VAT as a receipt shows it.')],
  },
  {
    name: 'libs/adapters',
    rule: 'All input and output: log, stores, codec, HTTP, keys, clocks. May use core; knows no service.',
    rooms: [
      room('libs/adapters/time', 12, 'Civil and elapsed time, wake-ups, slices of time.'),
      room('libs/adapters/telemetry', 13, 'Log lines and metrics.'),
      room('libs/adapters/lmdb', 13, 'LMDB files: opened, checked before they are mapped, locked, committed.'),
      room('libs/adapters/bytes', 14, 'Avro’s bytes, written and read by hand where it is hot.'),
      room(
        'libs/adapters/event-log',
        14,
        'The port of the event log: topics, positions, records, and what its two adapters share.',
      ),
      room('libs/adapters/event-log/embedded', 15, 'The log on LMDB, in this process.'),
      room(
        'libs/adapters/event-log/record-batch',
        15,
        'Kafka’s record batches, read and written, with their checksum and codec.',
      ),
      room(
        'libs/adapters/event-log/kafka/client',
        15,
        'Connections to brokers through kafkajs, the parts of it that we reach into, and faults.',
      ),
      room('libs/adapters/event-log/kafka/topics', 16, 'Topics on Kafka: made, identified, their settings checked.'),
      room('libs/adapters/event-log/kafka', 17, 'The log on Kafka: appends, reads, groups.'),
      room('libs/adapters/codec/schema', 15, 'Avro schemas: read, resolved, checked against released ones.'),
      room('libs/adapters/state-store', 15, 'The port of the state store, on Redis and on LMDB.'),
      room(
        'libs/adapters/stage',
        16,
        'The one idea: a store is a fold of the log; each message is linked to the one before.',
      ),
      room('libs/adapters/codec', 17, 'Every record of every topic, to and from bytes.'),
      room('libs/adapters/crypto', 17, 'Hashes and signatures by Node’s own crypto.'),
      room('libs/adapters/http', 18, 'Problems, limits, and the clients of the house’s own interfaces.'),
      room('libs/adapters/registry', 19, 'Values in a schema registry’s wire format.'),
      room('libs/adapters/access', 19, 'Who may call: clients, roles, keys, wrong keys slowed.'),
      room('libs/adapters/rules', 19, 'Rate cards read from files.'),
      room('libs/adapters/submissions', 19, 'What a sender’s JSON says, read into events with every fault at once.'),
      room('libs/adapters/server', 20, 'Express: safe headers, bodies, streams, health, metrics, shutdown.'),
      room('libs/adapters/runtime', 21, 'A service alone in a process, on the backends that its settings name.'),
    ],
  },
  {
    name: 'services',
    rule: 'Thin wiring around the libraries; a service never imports another, but for cli/start, which runs them all.',
    rooms: [
      room('services/gateway/store', 29, 'What the gateway remembers: reservations, receipts, and persons under seal.'),
      room('services/gateway/intake', 30, 'Reserve, append, receipt: an event taken once, whatever is sent again.'),
      room('services/gateway/ingress', 31, 'Records that clients write straight to Kafka.'),
      room('services/gateway/account-events', 31, 'Everything taken for one account, given back with its receipts.'),
      room('services/gateway', 32, 'The door of HMRC: HTTP and ingress in, events and receipts out.'),
      room('services/tax', 30, 'Events in, decisions out, partition by partition.'),
      room('services/ledger/store', 30, 'HMRC’s copy: blocks, the tree, what was signed.'),
      room('services/ledger/check', 31, 'What a payer sends the ledger, checked before it counts.'),
      room('services/ledger/seal', 32, 'Decisions into entries, entries into blocks, checkpoints over all.'),
      room(
        'services/ledger/serve',
        33,
        'Blocks, proofs and changes for payers; registrations and countersignatures from them.',
      ),
      room('services/ledger', 34, 'The ledger’s wiring and metrics.'),
      room('services/payer-node/store', 30, 'The payer’s copy: accounts, blocks, divergences, recomputed state.'),
      room('services/payer-node/withheld', 31, 'Accepted events that are in no block.'),
      room('services/payer-node/views', 31, 'Statements and exported copies.'),
      room('services/payer-node/follow', 32, 'Pulls, checks every liability again, stores, countersigns.'),
      room('services/payer-node/outbox', 32, 'The payer’s own events, forwarded until their receipts are there.'),
      room('services/payer-node/paye', 33, 'Payslips, months and closes of an employer.'),
      room('services/payer-node/vat', 33, 'Periods, returns, standing and HMRC’s MTD paths of a trader.'),
      room('services/payer-node', 34, 'The payer’s half of the stick: its doors and wiring.'),
      room('services/reconciliation/count', 30, 'What is counted at each stage.'),
      room('services/reconciliation/match', 31, 'The same thing at each stage, matched.'),
      room('services/reconciliation/report', 32, 'Figures, exceptions and metrics.'),
      room('services/reconciliation', 33, 'Reads every topic; its wiring.'),
      room('services/dashboard', 30, 'The Treasury page.'),
      room('services/cli/client', 30, 'Calls a running service.'),
      room('services/cli/servers', 30, 'Kafka and Redis of one’s own, for trying and testing.'),
      room(
        'services/cli/input',
        29,
        'Files that a person names, read in bounded memory; how a failure is said to that person.',
      ),
      room('services/cli/demo', 30, 'Invented employers and tills.'),
      room('services/cli/verify', 30, 'Checks a copy, or a divergence report, offline.'),
      room('services/cli/rows', 30, 'Rows of the files that people have: CSV and JSON, in their encodings.'),
      room('services/cli/mapping', 31, 'What columns mean: mappings, and how amounts, dates and codes are written.'),
      room('services/cli/documents', 32, 'What rows become: invoices and payments, by what names them.'),
      room('services/cli/import', 33, 'Whole files, through the payer’s node.'),
      room('services/cli/commands', 31, 'What a person asks on the command line.'),
      room('services/cli/start', 35, 'Every service in one process, or one process for each.'),
      room('services/cli', 36, 'The command `tally`.'),
    ],
  },
];
