import type { StageCodec } from '../../libs/adapters/stage/program.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';

const HEADER = Buffer.from('c301746c79737469636b', 'hex');

/** Messages as the real codecs frame them (single-object header, link at its fixed places), with a JSON body: for tests of the stage alone. */
export function linkedJsonCodec<Body>(): StageCodec<Body> {
  return {
    encode: (link, covers, body) =>
      Buffer.concat([
        HEADER,
        Buffer.from(link.id, 'hex'),
        Buffer.from(link.previous, 'hex'),
        Buffer.from(JSON.stringify({ covers, body })),
      ]),
    decode: ({ value, offset }) => {
      if (value === null || value.length < 42 || !value.subarray(0, 10).equals(HEADER)) {
        throw new TallyError('MESSAGE_UNREADABLE', 'not a message of the test codec', { offset });
      }
      const link = { id: value.toString('hex', 10, 26), previous: value.toString('hex', 26, 42) };
      return { link, ...JSON.parse(value.toString('utf8', 42)) };
    },
  };
}
