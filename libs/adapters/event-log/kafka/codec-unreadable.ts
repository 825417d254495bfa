import { TallyError } from '../../../core/errors/tally-error.ts';
import { READABLE_CODECS } from './codecs.ts';

/** What the sender of a record in an unreadable compression is told: what it came in, and what to send it again in. */
export interface CodecFacts {
  readonly codec: string;
  readonly readable: string;
}

export function codecFacts(codec: string): CodecFacts {
  return { codec, readable: READABLE_CODECS.join(', ') };
}

/** CODEC_UNREADABLE: a record that came in a batch which cannot be unpacked here: it would be too large, or is not packed as it says. */
export function codecUnreadable(codec: string): TallyError {
  const facts = codecFacts(codec);
  const message = `its batch, compressed with ${codec}, can not be unpacked: send it again in smaller batches, with ${facts.readable}`;
  return new TallyError('CODEC_UNREADABLE', message, { ...facts });
}
