import type { Place } from '../dialplan.ts';

/** The lines of a configuration file of Asterisk, without their comments. */

export type ConfigLine = { text: string; place: Place };

/** Asterisk reads lines into so many bytes, and takes the rest for another line (main/config.c). */
const longestLine = 8_190;

/** Behind `;--` a comment goes on to `--;`, over lines, and one may be inside another. `;---` is a plain one. */
function withoutComments(line: string, depth: number): { text: string; depth: number } {
  let text = '';
  let from = 0;
  let inside = depth;
  for (let at = line.indexOf(';'); at >= 0; at = line.indexOf(';', at + 1)) {
    if (line[at - 1] === '\\') {
      if (inside === 0) text += `${line.slice(from, at - 1)};`;
      from = at + 1;
    } else if (line.startsWith(';--', at) && line[at + 3] !== '-') {
      if (inside === 0) text += line.slice(from, at);
      inside += 1;
      from = at + 3;
    } else if (inside > 0 && line.slice(from, at).endsWith('--')) {
      inside -= 1;
      from = at + 1;
    } else if (inside === 0) {
      return { text: text + line.slice(from, at), depth: 0 };
    }
  }
  if (inside === 0) text += line.slice(from);

  return { text, depth: inside };
}

/** A character has three bytes at most, or four for two of JavaScript's. */
const isTooLong = (content: string, from: number, until: number): boolean =>
  until - from > longestLine ||
  ((until - from) * 3 > longestLine && Buffer.byteLength(content.slice(from, until)) > longestLine);

/** @param tooLong is told of lines that Asterisk would cut; nothing is made of them */
export function* configLines(file: string, content: string, tooLong: (place: Place) => void): Generator<ConfigLine> {
  let depth = 0;
  let line = 0;
  for (let from = 0; from < content.length;) {
    const end = content.indexOf('\n', from);
    const until = end < 0 ? content.length : end;
    line += 1;
    const place = { file, line };
    if (isTooLong(content, from, until)) tooLong(place);
    else {
      const rest = withoutComments(content.slice(from, until), depth);
      ({ depth } = rest);
      const text = rest.text.trim();
      if (text !== '') yield { text, place };
    }
    from = until + 1;
  }
}
