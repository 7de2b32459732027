/**
 * A statement as PostgreSQL takes it, from the text that SQLite takes too: parameters are numbered, hints for SQLite's planner are left out,
 * and names that PostgreSQL would read otherwise are quoted. The text is read by its words, so that nothing within quotes is touched.
 */

/** `names`: of the parameters, in the order of their numbers; some more than once. */
export type Translated = { readonly text: string; readonly names: readonly string[] };

type Kind = 'quoted' | 'number' | 'parameter' | 'word' | 'sign';

/** `apart`: there is space behind it. */
type Token = { readonly kind: Kind; readonly text: string; readonly apart: boolean };

/** Space, and comments. */
const between = /(?:\s|--[^\n]*)*/y;

const forms: readonly (readonly [Kind, RegExp])[] = [
  ['quoted', /'(?:[^']|'')*'|"(?:[^"]|"")*"/y],
  ['number', /\d+(?:\.\d+)?/y],
  ['parameter', /@[A-Za-z]\w*/y],
  ['word', /[A-Za-z_]\w*/y],
  ['sign', /\|\||<>|<=|>=|[^\s\w'"@]/y],
];

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = lengthOf(between, sql, 0); at < sql.length;) {
    const [kind, form] = forms.find(([, each]) => lengthOf(each, sql, at) > 0) ?? [];
    if (kind === undefined || form === undefined) {
      throw new TypeError(`nothing in a statement begins with ${JSON.stringify(sql.slice(at, at + 20))}`);
    }
    const end = at + lengthOf(form, sql, at);
    const next = end + lengthOf(between, sql, end);
    tokens.push({ kind, text: sql.slice(at, end), apart: next > end });
    at = next;
  }

  return tokens;
}

/** Of what has this form there; 0: nothing has. */
function lengthOf(form: RegExp, sql: string, at: number): number {
  form.lastIndex = at;

  return form.exec(sql)?.[0].length ?? 0;
}

const arithmetic = new Set(['+', '-', '*', '/', '%']);

/** Words behind which a value begins, so that a plus there is SQLite's hint not to use an index. */
const beforeValues = new Set(['WHERE', 'AND', 'OR', 'NOT', 'ON', 'BY', 'SELECT', 'WHEN', 'THEN', 'ELSE', 'CASE']);
const valueEnds = new Set<Token['kind']>(['quoted', 'number', 'parameter']);

function beginsValue(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'word') return beforeValues.has(before.text.toUpperCase());

  return !valueEnds.has(before.kind) && before.text !== ')';
}

const isWord = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'word' && token.text.toUpperCase() === text;

/** Hints of SQLite's planner. */
function withoutHints(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    const next = tokens[at + 1];
    if (isWord(token, 'INDEXED') && isWord(next, 'BY')) {
      at += 2;
    } else if (isWord(token, 'NOT') && isWord(next, 'INDEXED')) {
      at += 1;
    } else if (isWord(token, 'CROSS') && isWord(next, 'JOIN')) {
      // To SQLite it is an inner join in this order, with a condition.
      continue;
    } else if (token.text === '+' && beginsValue(kept.at(-1))) {
      continue;
    } else {
      kept.push(token);
    }
  }

  return kept;
}

/** PostgreSQL reads names in lower case unless they are quoted, and `user` as who is connected. */
const needsQuotes = (word: string): boolean => /^[a-z]+[a-z0-9]*[A-Z]/.test(word) || word === 'user';

/** Throws TypeError for a text that it cannot read. */
export function translate(sql: string): Translated {
  const tokens = withoutHints(tokensOf(sql));
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const number = numbers.get(name) ?? names.push(name);
    numbers.set(name, number);

    return number;
  };

  const translated = tokens.map((token, at): Token => {
    const [before, next] = [tokens[at - 1], tokens[at + 1]];
    if (token.kind === 'parameter') {
      const name = token.text.slice(1);
      // Whether it is null says nothing of its type, which PostgreSQL wants to know, and which is another one elsewhere.
      if (isWord(next, 'IS')) return { ...token, text: `CAST($${names.push(name)} AS text)` };
      const numbered = `$${numberOf(name)}`;
      // PostgreSQL takes it for a number of 32 bits beside one that is written out, and times are larger.
      const isSummand = [before, next].some((beside) => beside?.kind === 'sign' && arithmetic.has(beside.text));

      return { ...token, text: isSummand ? `CAST(${numbered} AS bigint)` : numbered };
    }
    if (token.kind !== 'word') return token;
    // SQLite knows an index by the very words that it was made with.
    if (isWord(token, 'IFNULL') && next?.text === '(') return { ...token, text: 'coalesce' };
    if (isWord(token, 'INTEGER') && isWord(before, 'AS')) return { ...token, text: 'bigint' };
    // After a point it is a column all the same.
    if (needsQuotes(token.text)) return { ...token, text: `"${token.text}"` };

    return token;
  });

  const text = translated.map(({ text: each, apart }) => (apart ? `${each} ` : each)).join('');

  return { text: text.trimEnd(), names };
}
