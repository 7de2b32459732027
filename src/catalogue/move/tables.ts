import { createHash } from 'node:crypto';

/** What is moved: the tables of a catalogue as both databases have them, and one text for a row of either. */

/** Whole numbers as bigint: SQLite has some that are no number of JavaScript. */
export type Value = bigint | string | null;
export type Row = readonly Value[];

type Column = { readonly name: string; readonly type: 'bigint' | 'text' };

/** `key`: columns by which its rows are in one order, which is the same in both databases. */
export type Table = { readonly name: string; readonly columns: readonly Column[]; readonly key: readonly string[] };

/** What PostgreSQL has in the place of SQLite's rowid, where the order of insertion counts. */
export const rowNumber = { table: 'policies', column: 'number' } as const;

/** Some rows of a table that follow each other. */
export type Batch = { readonly rows: readonly Row[]; readonly last: Row };

/** The values of the key in a row of all columns. */
export function keyOf({ columns, key }: Table, row: Row): Row {
  return key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null);
}

/** Of both databases: the length of each value in bytes before it, so that no two rows have the same text. */
function textOf(row: Row): string {
  let text = '';
  for (const value of row) {
    const written = value === null ? undefined : String(value);
    text += written === undefined ? '-' : `${Buffer.byteLength(written)}:${written}`;
  }

  return text;
}

/** SHA-256 over the hashes of the rows, in their order, in hexadecimal. {@link digestInPostgres} is the same. */
export function digestOf(rows: readonly Row[]): string {
  const whole = createHash('sha256');
  for (const row of rows) whole.update(createHash('sha256').update(textOf(row)).digest());

  return whole.digest('hex');
}

const quoted = (name: string): string => `"${name}"`;
export const namesOf = (names: readonly string[]): string => names.map(quoted).join(', ');

/** An aggregate over rows of the table. */
export function digestInPostgres({ columns, key }: Table): string {
  const texts = columns.map(({ name, type }) => {
    const text = type === 'text' ? quoted(name) : `CAST(${quoted(name)} AS text)`;

    return `coalesce(octet_length(${text}) || ':' || ${text}, '-')`;
  });
  const ofRow = `sha256(convert_to(concat(${texts.join(', ')}), 'UTF8'))`;

  return `encode(sha256(coalesce(string_agg(${ofRow}, ''::bytea ORDER BY ${namesOf(key)}), ''::bytea)), 'hex')`;
}
