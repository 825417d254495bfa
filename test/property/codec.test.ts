import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksCodec } from '../../libs/adapters/codec/blocks-codec.ts';
import { decodeEvent, encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import {
  EncodedLiabilities,
  encodeDecisions,
  liabilitiesCodec,
  liabilitiesCodecWithoutState,
} from '../../libs/adapters/codec/liabilities-codec.ts';
import { rejectedDecisions } from '../../libs/adapters/codec/rejected-decisions.ts';
import { HEADER_BYTES, writerOf } from '../../libs/adapters/codec/schema/single-object.ts';
import type { LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import {
  arbitraryBlocksBody,
  arbitraryCovers,
  arbitraryEvent,
  arbitraryLiabilityBody,
  arbitraryLink,
} from '../support/arbitrary-events.ts';

const record = (value: Buffer): LogRecord => ({ offset: 7, timestampMs: 0, key: null, value, headers: {} });

/** What avsc, which shares no code with the hand-written codec, makes of the same value: decoded and written again. */
function byAvsc(value: Buffer): Buffer {
  const { type } = writerOf(value).schema;
  const body = value.subarray(HEADER_BYTES);
  return Buffer.concat([value.subarray(0, HEADER_BYTES), type.toBuffer(type.fromBuffer(body))]);
}

describe('the codec', () => {
  it('gives back every event as it was', () => {
    fc.assert(
      fc.property(arbitraryEvent, (event) => {
        expect(decodeEvent(encodeEvent(event))).toEqual(event);
      }),
    );
  });

  it('writes every event byte for byte as avsc does', () => {
    fc.assert(
      fc.property(arbitraryEvent, (event) => {
        const value = encodeEvent(event);
        expect(byAvsc(value).equals(value)).toBe(true);
      }),
    );
  });

  it('refuses every event that is cut short or has a byte behind it', () => {
    fc.assert(
      fc.property(arbitraryEvent, fc.nat(), (event, seed) => {
        const value = encodeEvent(event);
        expect(() => decodeEvent(value.subarray(0, seed % value.length))).toThrow(/record/);
        expect(() => decodeEvent(Buffer.concat([value, Buffer.from([0])]))).toThrow(/behind the end/);
      }),
    );
  });

  it('gives back every message of liabilities as it was, its link at the fixed places', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryCovers, arbitraryLiabilityBody, (link, covers, body) => {
        const value = liabilitiesCodec.encode(link, covers, body);
        expect(liabilitiesCodec.decode(record(value))).toEqual({ link, covers, body });
        expect(value.toString('hex', 10, 26)).toBe(link.id);
        expect(value.toString('hex', 26, 42)).toBe(link.previous);
        expect(byAvsc(value).equals(value)).toBe(true);
        const { body: bare } = liabilitiesCodecWithoutState.decode(record(value));
        expect(bare).toEqual({
          ...body,
          decisions: body.decisions.map((decision) => ({ ...decision, changes: [] })),
        });
        const { body: ofRejections } = rejectedDecisions.decode(record(value));
        expect(ofRejections.rejected).toEqual(
          body.decisions.flatMap(({ topic, offset, rejections }, index) =>
            rejections.length === 0 ? [] : [{ index, topic, offset, rejections }],
          ),
        );
      }),
    );
  });

  it('prints the decisions of a message beforehand byte for byte as within it, and says where each value stands', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryCovers, arbitraryLiabilityBody, (link, covers, body) => {
        const all = body.decisions.flatMap(({ changes }) => changes);
        let end = 0;
        const ends = body.decisions.map(({ changes }) => {
          end += changes.length;
          return end;
        });
        const { printed, texts } = encodeDecisions(body.decisions, {
          slots: all,
          values: all.map(({ value }) => value),
          ends,
        });
        const whole = liabilitiesCodec.encode(link, covers, body);
        const beforehand = new EncodedLiabilities(body, printed);
        const encoded = liabilitiesCodec.encode(link, covers, beforehand);
        expect(encoded.equals(whole)).toBe(true);
        // Another message of the same decisions leaves the first as it is.
        const other = { id: link.previous, previous: link.id };
        const again = liabilitiesCodec.encode(other, covers, beforehand);
        expect(again.equals(liabilitiesCodec.encode(other, covers, body))).toBe(true);
        expect(encoded.equals(whole)).toBe(true);
        const many = Array.from({ length: 40 }, (_, partition) => ({
          topic: 'vat.events.v1',
          partition,
          from: 0,
          next: 7,
        }));
        const wide = liabilitiesCodec.encode(link, many, new EncodedLiabilities(body, printed));
        expect(wide.equals(liabilitiesCodec.encode(link, many, body))).toBe(true);
        expect(beforehand.decisions).toEqual(body.decisions);
        expect(texts.map((text) => text?.toString())).toEqual(
          all.map(({ value }) => (value === null ? undefined : JSON.stringify(value))),
        );
      }),
    );
  });

  it('gives back every message of blocks as it was, its link at the fixed places', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryCovers, arbitraryBlocksBody, (link, covers, body) => {
        const value = blocksCodec.encode(link, covers, body);
        const decoded = blocksCodec.decode(record(value));
        const entries = decoded.body.blocks.map((block) => block.entries.map((entry) => Uint8Array.from(entry)));
        expect(entries).toEqual(body.blocks.map((block) => block.entries));
        const bare = (blocks: typeof body.blocks) => blocks.map((block) => ({ ...block, entries: [] }));
        expect({ ...decoded, body: { ...decoded.body, blocks: bare(decoded.body.blocks) } }).toEqual({
          link,
          covers,
          body: { ...body, blocks: bare(body.blocks) },
        });
        expect(value.toString('hex', 10, 26)).toBe(link.id);
        expect(value.toString('hex', 26, 42)).toBe(link.previous);
        expect(byAvsc(value).equals(value)).toBe(true);
      }),
    );
  });
});
