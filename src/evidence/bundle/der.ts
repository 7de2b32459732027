/** DER (X.690), as much of it as a time stamp needs: lengths below 4 GiB, tags of one byte. */

export type DerValue = { tag: number; content: Buffer };

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  objectId: 0x06,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  explicit0: 0xa0,
} as const;

export function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');

  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

/** A number of zero or more. */
export function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');

  return der(derTag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

/** The values that stand one behind the other. Throws an Error for anything else than DER. */
export function derValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const short = bytes[at + 1];
    if ((tag & 0x1f) === 0x1f || short === undefined || short === 0x80 || short > 0x84) throw new Error('not DER');
    const extra = short < 0x80 ? 0 : short & 0x7f;
    if (at + 2 + extra > bytes.length) throw new Error('cut off');
    const length = extra === 0 ? short : bytes.readUIntBE(at + 2, extra);
    const start = at + 2 + extra;
    if (start + length > bytes.length) throw new Error('cut off');
    values.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }

  return values;
}

/** What a value with this tag is made of. Throws an Error if it has another one, or there is none. */
export function derInside(value: DerValue | undefined, tag: number): Buffer {
  if (value?.tag !== tag) throw new Error('not what stands there in a time stamp');

  return value.content;
}

/** Throws an Error for a number below zero. */
export function derNumber(value: DerValue | undefined): bigint {
  const content = derInside(value, derTag.integer);
  if (content.length === 0 || (content[0] ?? 0) >= 0x80) throw new Error('not a number of zero or more');

  return BigInt(`0x${content.toString('hex')}`);
}
