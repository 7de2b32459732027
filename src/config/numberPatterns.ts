/**
 * Numbers as extensions.conf names them: `112`, or a pattern that begins with `_`, in which X is 0 to 9, Z 1 to 9, N 2 to 9, `[15-7]` one of
 * these digits, `.` at the end one character or more, `!` at the end any or none.
 */

/** No number is longer (E.164 has 15 digits), and what Asterisk keeps of a channel is 80 characters. */
const longest = 40;
const plain = /^[0-9A-Za-z*#+]+$/;
const element = /[0-9*#+]|[XZN]|\[(?:[0-9](?:-[0-9])?)+\]|-/giy;

/** Why this is no number and no pattern; undefined where it is one. */
export function numberPatternFault(pattern: string): string | undefined {
  if (pattern.length > longest) return `is longer than ${longest} characters`;
  if (!pattern.startsWith('_')) return plain.test(pattern) ? undefined : 'is not a number such as 112';
  const body = pattern.slice(1).replace(/[.!]$/, '');
  // Nothing would be recorded any more, and nobody would know why.
  if (body === '') return 'would be every number';
  const read = body.match(element)?.join('') ?? '';

  return read === body ? undefined : 'is not a pattern such as _116XXX';
}

/** Of what follows a number in a dial string, none is part of it. */
const anyCharacter = '[^@;/]';

/**
 * The pattern as a regular expression, without anchors, that means the same to JavaScript and to Asterisk's REGEX() (POSIX, extended).
 * It has no backslash, since Asterisk takes those away.
 */
export function expressionOf(pattern: string): string {
  const literal = (text: string): string => text.replace(/[*+]/g, '[$&]');
  if (!pattern.startsWith('_')) return literal(pattern);

  return pattern.slice(1).replace(/\[[^\]]*\]|[^[]/g, (part) => {
    switch (part.toUpperCase()) {
      case 'X':
        return '[0-9]';
      case 'Z':
        return '[1-9]';
      case 'N':
        return '[2-9]';
      case '.':
        return `${anyCharacter}+`;
      case '!':
        return `${anyCharacter}*`;
      // Asterisk passes over it.
      case '-':
        return '';
      default:
        return part.startsWith('[') ? part : literal(part);
    }
  });
}
