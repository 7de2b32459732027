/** What is typed into the pane. */

export type Order =
  | { do: 'call'; to: string; from: string | undefined }
  | { do: 'hangUp' }
  | { do: 'press'; keys: string }
  | { do: 'upload' }
  | { do: 'restart' }
  | { do: 'help' }
  | { do: 'quit' }
  | { do: 'nothing' }
  | { do: 'refuse'; problem: string };

export const orderHelp: readonly string[] = [
  'c [EXTENSION [NUMBER]]  place a call with the caller phone; default: 100, from Liège',
  'h                       hang up',
  '9, *9, 1 ...            press these keys',
  'u                       run an upload',
  'r                       restart Préavis, for example after npm run build',
  '?                       show this list',
  'q, Ctrl-C               end everything',
];

export const defaultExtension = '100';

const keys = /^[0-9*#]+$/;
const extension = /^[0-9A-Za-z]+$/;
const number = /^\+?[0-9]+$/;

function callOrder(words: readonly string[]): Order {
  const [to = defaultExtension, from, more] = words;
  if (!extension.test(to)) return { do: 'refuse', problem: 'An extension has letters and digits only.' };
  if (from !== undefined && !number.test(from)) {
    return { do: 'refuse', problem: 'A number has digits only, behind a + where it is international.' };
  }
  if (more !== undefined) return { do: 'refuse', problem: 'A call has an extension and a number, no more.' };

  return { do: 'call', to, from };
}

/** The order that a typed line is. */
export function parseOrder(line: string): Order {
  const [word = '', ...words] = line.trim().split(/\s+/);
  if (word === 'c') return callOrder(words);
  if (words.length > 0) return { do: 'refuse', problem: 'Only c has words behind it.' };
  if (keys.test(word)) return { do: 'press', keys: word };
  switch (word) {
    case '':
      return { do: 'nothing' };
    case 'h':
      return { do: 'hangUp' };
    case 'u':
      return { do: 'upload' };
    case 'r':
      return { do: 'restart' };
    case '?':
      return { do: 'help' };
    case 'q':
      return { do: 'quit' };
    default:
      return { do: 'refuse', problem: 'There is no such key here; ? lists them.' };
  }
}
