import type { EventLog } from '../../../libs/adapters/event-log/event-log.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import type { CloseReason } from '../../../libs/core/ledger/block/block-header.ts';
import type { RegistrationCheck } from '../check/check-registration.ts';
import type { CheckedRecords } from '../check/checked-records.ts';
import type { LedgerCrypto, LedgerIdentity } from '../store/ledger-identity.ts';
import type { LedgerStore } from '../store/ledger-store.ts';
import type { BlockFold } from './fold-blocks.ts';
import type { HeldAccount } from './held-accounts.ts';
import type { CheckpointSigner } from './sign-checkpoints.ts';

/** What the sealing tells of itself, for metrics, logs and alarms. */
export type SealEvent =
  | {
      readonly type: 'blockSealed';
      readonly tax: 'paye' | 'vat';
      readonly reason: CloseReason;
      readonly entries: number;
    }
  | { readonly type: 'checkpointSigned'; readonly size: number }
  | { readonly type: 'acknowledgementTaken'; readonly heads: number }
  | { readonly type: 'accountHeld'; readonly held: HeldAccount; readonly error: unknown }
  | { readonly type: 'storeRotten'; readonly code: string }
  | { readonly type: 'acknowledgementRefused'; readonly code: string; readonly offset: number };

export interface BlockSealerDependencies {
  readonly log: EventLog;
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  readonly fold: BlockFold;
  readonly signer: CheckpointSigner;
  /** Of the door of this process. */
  readonly checked: CheckedRecords;
  readonly registrations: RegistrationCheck;
  readonly clock: Clock;
  readonly observe: (event: SealEvent) => void;
  /** After a commit: what was read back may be served. */
  readonly onCommitted: () => void;
}
