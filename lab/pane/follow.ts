/** Reads on in log files while other processes write to them. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Part } from '../program.ts';

const readEachMs = 100;
const chunkBytes = 64 * 1024;
const newline = 0x0a;

/** Runs `look` now, again and again, and once more when it is stopped. */
export function lookEach(ms: number, look: () => void): Part {
  look();
  const timer = setInterval(look, ms);

  return {
    stop: () => {
      clearInterval(timer);
      look();
      return Promise.resolve();
    },
  };
}

/** Hands over each whole line that a file gets from now on; those that it has already too, if it is read from its start. */
export function followFile(file: string, from: 'start' | 'end', onLine: (line: string) => void): Part {
  let offset = 0;
  let rest = Buffer.alloc(0);
  const take = (read: Buffer): void => {
    let text = Buffer.concat([rest, read]);
    // A sign of several bytes may be written in two goes, a line end may not.
    for (let end = text.indexOf(newline); end >= 0; end = text.indexOf(newline)) {
      onLine(text.toString('utf8', 0, end));
      text = text.subarray(end + 1);
    }
    rest = text;
  };
  const withFile = (act: (handle: number) => void): void => {
    if (!existsSync(file)) return;
    const handle = openSync(file, 'r');
    try {
      act(handle);
    } finally {
      closeSync(handle);
    }
  };
  if (from === 'end') {
    withFile((handle) => {
      offset = fstatSync(handle).size;
    });
  }

  return lookEach(readEachMs, () => {
    withFile((handle) => {
      for (;;) {
        const chunk = Buffer.alloc(chunkBytes);
        const bytes = readSync(handle, chunk, 0, chunkBytes, offset);
        if (bytes === 0) return;
        offset += bytes;
        take(chunk.subarray(0, bytes));
      }
    });
  });
}

/** Hands over each entry that a list has, or gets from now on. */
export function followList<T>(list: () => readonly T[], onEntry: (entry: T) => void): Part {
  let known = 0;

  return lookEach(readEachMs, () => {
    const entries = list();
    for (const entry of entries.slice(known)) onEntry(entry);
    known = entries.length;
  });
}
