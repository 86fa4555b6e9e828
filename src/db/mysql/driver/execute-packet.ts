import type { BoundValue } from "../../../sql/bound-value.ts";
import { boundType } from "./bind-types.ts";
import type { WrittenPacket } from "./command-pipeline.ts";

/** Writes COM_STMT_EXECUTE (MySQL manual). */

/** A value in the form of the binary protocol; `bytes` is undefined for NULL. */
interface Parameter {
  type: number;
  isUnsigned: boolean;
  bytes: Uint8Array | undefined;
  /** Whether the length stands before the bytes. */
  hasLength: boolean;
}

/** Types of the protocol (MySQL manual, enum_field_types). */
const types = {
  tiny: 0x01,
  double: 0x05,
  null: 0x06,
  longlong: 0x08,
  /**
   * Not MYSQL_TYPE_DECIMAL, which is 0: TiDB ignores it, and would take the digits for a text, and then for a
   * DOUBLE.
   */
  newDecimal: 0xf6,
  /** The bytes are not in the connection's character set. */
  blob: 0xfc,
  varString: 0xfd,
} as const;

/**
 * Gives a value the form of its own type. An integer is bound as BIGINT, so that LIMIT ? works and no digit is
 * lost.
 */
function parameterOf(bound: BoundValue): Parameter {
  const { type, value } = bound;
  const plain = { isUnsigned: false, hasLength: false };
  if (value === null) return { ...plain, type: types.null, bytes: undefined };
  switch (type) {
    case "integer": {
      const bytes = Buffer.alloc(8);
      const isUnsigned = boundType(bound) === "unsigned";
      if (isUnsigned) bytes.writeBigUInt64LE(BigInt(value as string));
      else bytes.writeBigInt64LE(BigInt(value as string));
      return { ...plain, type: types.longlong, isUnsigned, bytes };
    }
    case "decimal":
      return { ...plain, type: types.newDecimal, bytes: Buffer.from(String(value)), hasLength: true };
    case "number": {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(Number(value));
      return { ...plain, type: types.double, bytes };
    }
    case "boolean":
      return { ...plain, type: types.tiny, bytes: Buffer.of(value ? 1 : 0) };
    case "binary":
      return { ...plain, type: types.blob, bytes: Buffer.from(String(value), "base64"), hasLength: true };
    default:
      return { ...plain, type: types.varString, bytes: Buffer.from(String(value)), hasLength: true };
  }
}

const frameBytes = 4;
const command = 0x17;
/** Cursor type: the number of parameters is in the packet. */
const parameterCountAvailable = 0x08;

/**
 * @param id of the prepared statement
 * @param values one for each of its placeholders
 * @param takesAttributes as in PipelineConnection
 */
export function executePacket(
  id: number,
  values: readonly BoundValue[],
  takesAttributes: boolean,
): WrittenPacket {
  const parameters = values.map(parameterOf);
  const buffer = Buffer.alloc(frameBytes + mostBytes(parameters));
  let at = frameBytes;
  const put = (byte: number) => {
    buffer[at++] = byte;
  };
  put(command);
  at = buffer.writeUInt32LE(id, at);
  put(takesAttributes ? parameterCountAvailable : 0);
  // The number of iterations, which is always 1.
  at = buffer.writeUInt32LE(1, at);
  if (takesAttributes) at = writeLength(buffer, parameters.length, at);
  if (parameters.length > 0) {
    for (const [index, { bytes }] of parameters.entries())
      if (bytes === undefined)
        buffer[at + (index >> 3)] = (buffer[at + (index >> 3)] ?? 0) | (1 << (index & 7));
    at += (parameters.length + 7) >> 3;
    // The types follow.
    put(1);
    for (const { type, isUnsigned } of parameters) {
      put(type);
      put(isUnsigned ? 0x80 : 0);
      // An attribute has a name. A parameter's is empty.
      if (takesAttributes) put(0);
    }
    for (const { bytes, hasLength } of parameters) {
      if (bytes === undefined) continue;
      if (hasLength) at = writeLength(buffer, bytes.length, at);
      buffer.set(bytes, at);
      at += bytes.length;
    }
  }
  return framed(buffer.subarray(0, at));
}

/** @returns enough for the payload */
function mostBytes(parameters: readonly Parameter[]): number {
  const fixed = 1 + 4 + 1 + 4 + lengthBytes + ((parameters.length + 7) >> 3) + 1;
  return parameters.reduce((sum, { bytes }) => sum + 3 + lengthBytes + (bytes?.length ?? 0), fixed);
}

/** Of the longest length-encoded integer that is written. */
const lengthBytes = 4;

/** @param length below 2 ** 24: a statement with its values is shorter than a packet (packet-size.ts) */
function writeLength(buffer: Buffer, length: number, at: number): number {
  if (length < 0xfb) return buffer.writeUInt8(length, at);
  // mysql2 writes 65,535 in the longer form.
  const bytes = length < 0xffff ? 2 : 3;
  buffer[at] = bytes === 2 ? 0xfc : 0xfd;
  return buffer.writeUIntLE(length, at + 1, bytes);
}

function framed(buffer: Buffer): WrittenPacket {
  return {
    buffer,
    length: () => buffer.length,
    writeHeader(sequenceId) {
      buffer.writeUIntLE(buffer.length - frameBytes, 0, 3);
      buffer[3] = sequenceId;
    },
  };
}
