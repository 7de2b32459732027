/** Where the lab keeps things. Plain JavaScript without dependencies, because prepare.mjs needs it before all else. */
import { mkdirSync, statSync } from 'node:fs';
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
  const { uid } = userInfo();
  const folder = join(tmpdir(), `preavis-lab-${uid}`);
  // One level only: below /proc Node never returns from making several, and a TMPDIR that is not there is a mistake.
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch (error) {
    if (error.code !== 'EEXIST')
      throw new Error(`${folder} cannot be made (${error.code}). Set TMPDIR to a folder that is there.`);
  }
  // Records say what is killed and removed, so nobody else may write them.
  if (statSync(folder).uid !== uid) throw new Error(`${folder} belongs to another user. Remove it, or set TMPDIR.`);
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
