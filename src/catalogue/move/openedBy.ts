import { readFileSync, statSync } from 'node:fs';

/** Linux tells every user which process has locks on which file, and SQLite holds one of each catalogue that is open. */
const locks = '/proc/locks';

const aLock = /^\d+: +POSIX .* (\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) \d+ (?:\d+|EOF)$/;

/** Other processes of this machine that have a SQLite file open, as far as the system tells. */
export function openedBy(file: string): string[] {
  const shared = statSync(`${file}-shm`, { bigint: true, throwIfNoEntry: false });
  if (shared === undefined) return [];
  const found = new Set<string>();
  for (const line of linesOf(locks)) {
    const [, pid = '', major = '', minor = '', inode] = aLock.exec(line) ?? [];
    const isSame = inode === String(shared.ino) && deviceOf(major, minor) === shared.dev;
    if (isSame && pid !== String(process.pid)) found.add(`process ${pid}, which has the file open`);
  }

  return [...found].toSorted();
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** As the C library makes the number of a device. */
function deviceOf(majorHex: string, minorHex: string): bigint {
  const [major, minor] = [BigInt(`0x${majorHex}`), BigInt(`0x${minorHex}`)];

  return ((major & 0xfff00n) << 32n) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | (minor & 0xffn);
}
