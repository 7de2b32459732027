/** Where the lab keeps things. Plain JavaScript without dependencies, because prepare.mjs needs it before all else. */
import { mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Where what takes long to make is kept, outside every checkout. */
export function cacheFolder() {
  const own = process.env['PREAVIS_LAB_CACHE'];
  if (own) return own;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'preavis-lab');
}

/** Records and short-lived folders of this user. */
export function runFolder() {
  const folder = join(tmpdir(), `preavis-lab-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** The Debian release asked for by PREAVIS_LAB_RELEASE (bullseye has Asterisk 16); then a host's own Asterisk is left aside. */
export function askedRelease() {
  return process.env['PREAVIS_LAB_RELEASE'] || undefined;
}

/** The Debian release that the cached Asterisk comes from: forky, or the one asked for. */
export function asteriskRelease() {
  return askedRelease() ?? 'forky';
}

/** The small Debian with an Asterisk. */
export function asteriskRoot() {
  return join(cacheFolder(), `asterisk-${asteriskRelease()}`);
}
