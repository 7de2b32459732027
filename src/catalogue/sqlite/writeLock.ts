import { readFileSync, statSync } from 'node:fs';

/** The lock of who writes into a database with a write-ahead log is on this byte of the file `-shm` (sqlite.org, "WAL-mode File Format", 2.3.1). */
const writerByte = 120;

/**
 * Whether this process of this machine, by a number that means the same here, writes into this catalogue now. False where Linux does not tell
 * (proc_locks(5)).
 */
export function isWriting(file: string, pid: number): boolean {
  try {
    const { ino } = statSync(`${file}-shm`);

    return readFileSync('/proc/locks', 'utf8').split('\n').some(isOf(ino, pid));
  } catch {
    return false;
  }
}

/** A line such as `1: POSIX  ADVISORY  WRITE 4242 08:01:7864448 120 120`. */
const isOf =
  (ino: number, pid: number) =>
  (line: string): boolean => {
    const [, type, , access, holder, file = '', first, last] = line.trim().split(/\s+/);

    return (
      type === 'POSIX' &&
      access === 'WRITE' &&
      Number(holder) === pid &&
      Number(file.split(':')[2]) === ino &&
      Number(first) <= writerByte &&
      writerByte <= Number(last)
    );
  };
