import {
  type AcknowledgementEvent,
  disputeRaised,
  headsAcknowledged,
  keyRegistered,
} from '../../core/ledger/block/acknowledgement-events.ts';
import { eventFamily } from './event-family.ts';

const ACKNOWLEDGEMENTS = eventFamily<AcknowledgementEvent>('an acknowledgement', {
  KeyRegistered: keyRegistered,
  HeadsAcknowledged: headsAcknowledged,
  DisputeRaised: disputeRaised,
});

/** The value of a record of acknowledgements.v1. */
export const encodeAcknowledgement = ACKNOWLEDGEMENTS.encode;
/** Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (also for a record that is none of acknowledgements.v1). */
export const decodeAcknowledgement = ACKNOWLEDGEMENTS.decode;
