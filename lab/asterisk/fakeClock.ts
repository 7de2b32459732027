/**
 * A clock of its own for one process, by libfaketime (Debian package `faketime`): the wall clock is off by what a file says, at any
 * moment. The monotonic clock stays that of the machine, and so do the times of files.
 */
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClockLibrary } from '../machine/folders.mjs';

const library = 'faketime.so';
const clockFile = 'faketime.offset';

/**
 * Into a folder of the process, which may see no other.
 * @param root what the process sees as `/`: its own library goes before that of this machine, which may need a newer C library
 */
export function installFakeClock(folder: string, off: string, root = '/'): void {
  const found = fakeClockLibrary(root) ?? fakeClockLibrary('/');
  if (found === undefined) throw new Error('There is no faketime. Run: node lab/prepare.mjs --with clock');
  copyFileSync(found, join(folder, library));
  setFakeClock(folder, off);
}

/** @param off from the right time, such as `+60d`, `-3h` or `+0` */
export function setFakeClock(folder: string, off: string): void {
  const next = join(folder, `${clockFile}.next`);
  writeFileSync(next, `${off}\n`, { mode: 0o644 });
  renameSync(next, join(folder, clockFile));
}

/** For its environment. @param folder as the process sees it */
export function fakeClockVariables(folder: string): Record<string, string> {
  return {
    LD_PRELOAD: join(folder, library),
    FAKETIME_TIMESTAMP_FILE: join(folder, clockFile),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}
