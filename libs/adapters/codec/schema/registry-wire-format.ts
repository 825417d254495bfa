/** The header of a value in a schema registry's wire format: a zero byte, then the schema's id, 4 bytes big-endian. */
export const REGISTRY_HEADER_BYTES = 5;
const SINGLE_OBJECT_HEADER_BYTES = 10;
const REGISTRY_ID_MAX = 0xffff_ffff;

/** A schema's id in the registry and the single-object header of its values: one says what the other says. */
export interface RegisteredSchema {
  readonly id: number;
  readonly header: Buffer;
}

/**
 * Turns values between the registry's wire format and Avro single-object encoding. Only the header differs, and each header has one
 * counterpart; so a value that went to the log and came back is the same to the byte, and hashes are always of the single-object form,
 * whatever the deployment writes: a payer knows nothing of HMRC's registry.
 */
export interface RegistryWireFormat {
  /** For the log. A value of no registered schema is left as it is. */
  toWire(value: Buffer): Buffer;
  /** From the log. A value in single-object encoding, or of an unknown id, is left as it is. */
  fromWire(value: Buffer): Buffer;
}

/** @param written what values are written with; `[]` leaves every value in single-object encoding. @param read ids that may stand in the log. */
export function registryWireFormat(
  written: readonly RegisteredSchema[],
  read: readonly RegisteredSchema[],
): RegistryWireFormat {
  const headers = new Map<number, Buffer>(read.map(({ id, header }) => [id, header]));
  const wires = new Map<string, Buffer>(written.map(({ id, header }) => [header.toString('latin1'), wireHeader(id)]));
  return {
    toWire(value) {
      if (value[0] !== 0xc3 || value[1] !== 0x01) return value;
      const wire = wires.get(value.toString('latin1', 0, SINGLE_OBJECT_HEADER_BYTES));
      return wire === undefined ? value : Buffer.concat([wire, value.subarray(SINGLE_OBJECT_HEADER_BYTES)]);
    },
    fromWire(value) {
      const id = registryIdOf(value);
      const header = id === null ? undefined : headers.get(id);
      return header === undefined ? value : Buffer.concat([header, value.subarray(REGISTRY_HEADER_BYTES)]);
    },
  };
}

/** The id that a value in the registry's wire format names; null for any other value. */
export function registryIdOf(value: Buffer): number | null {
  return value[0] === 0 && value.length >= REGISTRY_HEADER_BYTES ? value.readUInt32BE(1) : null;
}

export function isRegistryId(id: unknown): id is number {
  return Number.isSafeInteger(id) && Number(id) >= 0 && Number(id) <= REGISTRY_ID_MAX;
}

function wireHeader(id: number): Buffer {
  const header = Buffer.alloc(REGISTRY_HEADER_BYTES);
  header.writeUInt32BE(id, 1);
  return header;
}
