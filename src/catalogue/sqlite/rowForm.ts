import * as z from 'zod';
import type { CallId, RecordingId } from '../../core/ids.ts';

/** How rows of a table become objects: everything that reads whole rows is made of these. */

/** The column that keeps a property: `keep_until` keeps `keepUntil`. */
export const columnOf = (property: string): string =>
  property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isRow = (found: unknown): found is Readonly<Record<string, unknown>> =>
  typeof found === 'object' && found !== null;

/**
 * The form of a row, by the names of its properties.
 *
 * @param own columns whose names do not follow from those of their properties
 */
export function row<Shape extends z.ZodRawShape>(shape: Shape, own: { readonly [Name in keyof Shape]?: string } = {}) {
  const columns = Object.keys(shape).map((property) => [property, own[property] ?? columnOf(property)] as const);

  return z.preprocess(
    (found) =>
      isRow(found) ? Object.fromEntries(columns.map(([property, column]) => [property, found[column]])) : found,
    z.object(shape),
  );
}

export const callId = z.string().transform((id) => id as CallId);
export const recordingId = z.string().transform((id) => id as RecordingId);

/** SQLite keeps yes and no as 1 and 0. */
export const yesNo = z.number().transform((kept) => kept === 1);

/** A text that holds JSON of this form. */
export const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
