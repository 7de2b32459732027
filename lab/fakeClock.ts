/**
 * A clock of its own for one process, by libfaketime (Debian package `faketime`): the wall clock is off by what a file says, at any
 * moment. The monotonic clock stays that of the machine, and so do the times of files.
 */
import { copyFileSync, existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const library = 'faketime.so';
const clockFile = 'faketime.offset';

/** Where Debian has it. Of the two that it brings, the one for programs with threads. */
function libraryPath(): string {
  const found = readdirSync('/usr/lib')
    .map((architecture) => join('/usr/lib', architecture, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error('There is no faketime. Run: node lab/prepare.mjs --with clock');
  return found;
}

/** Into a folder of the process, which may see no other: in a chroot it cannot reach that of the machine. */
export function installFakeClock(folder: string, off: string): void {
  copyFileSync(libraryPath(), join(folder, library));
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
