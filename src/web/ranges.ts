/** A part of a recording, in bytes: from the first one on. */
export type ByteRange = { from: number; bytes: number };

const rangeForm = /^bytes=(\d*)-(\d*)$/;

/**
 * What `Range` asks for (RFC 9110, 14.2). undefined: the whole, as where it asks for several parts, or in another unit: a server may leave
 * such a wish aside. unsatisfiable: for nothing that is there.
 *
 * @param of length of the whole
 */
export function rangeIn(header: string | undefined, of: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = rangeForm.exec((header ?? '').replaceAll(' ', '')) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const bytes = Math.min(Number(last), of);

    return bytes === 0 ? 'unsatisfiable' : { from: of - bytes, bytes };
  }
  const from = Number(first);
  const to = last === '' ? of - 1 : Math.min(Number(last), of - 1);
  if (last !== '' && Number(last) < from) return undefined;

  return from >= of ? 'unsatisfiable' : { from, bytes: to - from + 1 };
}

/**
 * Parts as begin and end in their order, the end excluded, those that touch joined to one.
 *
 * @param gap those between which at most this lies are one, too
 */
export function joined(parts: readonly (readonly [number, number])[], gap = 0): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of parts.toSorted((one, other) => one[0] - other[0])) {
    const last = all.at(-1);
    if (last !== undefined && from - last[1] <= gap) last[1] = Math.max(last[1], to);
    else if (to > from) all.push([from, to]);
  }

  return all;
}

export const lengthOf = (parts: readonly (readonly [number, number])[]): number =>
  parts.reduce((sum, [from, to]) => sum + to - from, 0);
