import * as z from 'zod';

/** What a key of the schema is made with: its sentence goes into docs/config.md. */

export type KeyMeta = { unit?: string; secret?: true };

export const key = <T extends z.ZodType>(schema: T, sentence: string, meta: KeyMeta = {}): T =>
  schema.meta({ description: sentence, ...meta });

/** Keys of which each has a default or may be left out: so may the section. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>);

/** A text that YAML would take for a number without quotes, and in which `faultOf` finds nothing wrong. */
export const quoted = (example: string, faultOf: (text: string) => string | undefined) =>
  z.string(`must be in quotes, such as "${example}"`).superRefine((text, context) => {
    const message = faultOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** A name that the operator chooses. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a name of lower-case letters, digits and hyphens');

export const seconds = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);
export const port = z.int().min(1).max(65_535);
