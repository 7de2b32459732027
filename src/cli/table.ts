import stringWidth from 'string-width';

/** Columns in a line of a table at most, on a terminal, in a pipe and in a mail alike. */
export const tableWidth = 100;

const gap = '  ';

const ascii = /^[\x20-\x7e]*$/;
/** Columns on a terminal: Chinese, Japanese and Korean signs and emoji have two. */
const widthOf = (text: string): number => (ascii.test(text) ? text.length : stringWidth(text));

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The longest start that fits, one sign at least; none is cut in two. */
function startOf(text: string, width: number): string {
  let start = '';
  for (const { segment } of graphemes.segment(text)) {
    if (start !== '' && widthOf(start + segment) > width) break;
    start += segment;
  }

  return start;
}

/** Somebody copies an id, and nobody reads half a time: they are never broken. */
const whole = /[0-9A-HJKMNP-TV-Z]{26}|\d{4}-\d\d-\d\d/;
/** Other words are broken below this length only, when nothing else is left to do. */
const leastWidth = 8;

/** What stays together: a cell goes on in the next line behind a space, or behind a sign that joins words; a time stays whole. */
const wordsOf = (text: string): string[] =>
  text.split(/(?<=\s)(?!(?<=\d{4}-\d\d-\d\d\s)\d\d:|[+-]\d\d:)|(?<=[/_;,])|(?<=[+-])(?=[a-z])/);

const longestWord = (text: string): number => Math.max(...wordsOf(text).map((word) => widthOf(word.trimEnd())));

/** The text in lines of so many columns at most. Only an id or a time is longer than a line that is shorter than it. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text)) {
    if (line !== '' && widthOf((line + word).trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
    while (widthOf(line.trimEnd()) > width && !whole.test(line)) {
      const start = startOf(line, width);
      lines.push(start);
      line = line.slice(start.length);
    }
  }

  return [...lines, line.trimEnd()];
}

/** The widths of columns that fit, the widest made narrower first; words are broken only where that does not do. */
function fitting(rows: readonly (readonly string[])[], columns: number): number[] {
  const cellsOf = (column: number): string[] => rows.map((row) => row[column] ?? '');
  const indices = Array.from({ length: columns }, (_, column) => column);
  const widths = indices.map((column) => Math.max(...cellsOf(column).map(widthOf)));
  const unbroken = indices.map((column) => Math.max(...cellsOf(column).map(longestWord)));
  const broken = unbroken.map((width, column) =>
    cellsOf(column).some((cell) => whole.test(cell)) ? width : leastWidth,
  );
  const room = tableWidth - gap.length * (columns - 1);
  for (const least of [unbroken, broken]) {
    for (;;) {
      const [widest] = indices
        .filter((column) => (widths[column] ?? 0) > (least[column] ?? 0))
        .toSorted((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0));
      if (widest === undefined || widths.reduce((sum, width) => sum + width, 0) <= room) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }

  return widths;
}

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/**
 * Rows as a table for people: columns padded to their widest cell, two spaces between, no line longer than `tableWidth`. What does not fit
 * goes on in the next line of its cell.
 *
 * @param below for each row, what stands below it over the whole width; nothing where it is empty
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  below: readonly string[] = [],
): string {
  const widths = fitting([header, ...rows], header.length);
  const linesOf = (row: readonly string[]): string[] => {
    const cells = widths.map((width, column) => wrapped(row[column] ?? '', width));
    const height = Math.max(...cells.map(({ length }) => length));

    return Array.from({ length: height }, (_, line) =>
      cells
        .map((cell, column) => padded(cell[line] ?? '', widths[column] ?? 0))
        .join(gap)
        .trimEnd(),
    );
  };
  const belowOf = (index: number): string[] =>
    (below[index] ?? '') === '' ? [] : wrapped(below[index] ?? '', tableWidth - gap.length).map((line) => gap + line);

  return [...linesOf(header), ...rows.flatMap((row, index) => [...linesOf(row), ...belowOf(index)])].join('\n');
}
