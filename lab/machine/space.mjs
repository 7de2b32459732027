/**
 * Free space, looked at before something begins that would fail in the middle of it. Plain JavaScript without dependencies,
 * because prepare.mjs needs it before the npm packages are there.
 */
import { existsSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** What the lab takes of a disk, MiB. */
export const neededMib = {
  /** A small Debian with Asterisk, and its packages while it is made. */
  asterisk: 900,
  /** Node and systemd of Debian beside that Asterisk. */
  machine: 350,
  npmPackages: 350,
  /** Two programs of 86 MB each, and their packages while they are unpacked. */
  prometheus: 250,
  /** It and its modules, and the package while it is unpacked. */
  kamailio: 70,
  /** A small Debian with a Node, and the package of Node while it is unpacked. */
  imageBase: 700,
  litestream: 60,
  /** The server, and its packages while they are unpacked. */
  postgres: 150,
  /** Two servers of 60 MB each, and the package of one while it is unpacked. */
  olderPostgres: 210,
  /** Six workers with an Asterisk or a store each (160), what is recorded, and the heads of the packets that telephones send. */
  run: 960,
  /** Below this nothing is started. */
  start: 50,
};

const mebibyte = 1_048_576;

/** The folder itself, or what is there of the way to it. */
function existing(folder) {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  return there;
}

/**
 * A sentence for each disk with less room than is needed there; needs in folders of one disk are added up.
 * `choose`: what names another folder.
 */
export function wantsOfSpace(needs) {
  const disks = new Map();
  for (const need of needs) {
    const there = existing(need.folder);
    const { dev } = statSync(there);
    disks.set(dev, [...(disks.get(dev) ?? []), { ...need, there }]);
  }
  return [...disks.values()].flatMap((all) => {
    const [{ there }] = all;
    const { bavail, bsize } = statfsSync(there);
    const free = Math.floor((bavail * bsize) / mebibyte);
    const needed = all.reduce((sum, { mib }) => sum + mib, 0);
    if (free >= needed) return [];
    const uses = all.map(({ folder, mib, what }) => `${folder} for ${what} (${mib} MiB)`).join(', ');
    const others = all.map(({ choose }) => choose).join(', ');
    return [
      `${free} MiB are free and ${needed} MiB are needed: ${uses}. Make room, or choose another disk by ${others}.`,
    ];
  });
}

/** @throws Error with that sentence. */
export function refuseWithoutSpace(needs) {
  const wants = wantsOfSpace(needs);
  if (wants.length > 0) throw new Error(wants.join('\n'));
}
