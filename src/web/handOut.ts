import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { isAlive } from '../core/processes.ts';
import { besideCatalogue } from '../services/catalogue.ts';

/** Files that are made whole before they are sent: each lies in a folder of this process, and in none once the first byte of it leaves. */

type Located = Parameters<typeof besideCatalogue>[0];

const folderOf = (config: Located): string => besideCatalogue(config, 'web-files');

export type HandedOut = { body: Readable; bytes: number };

/**
 * Has a file made, and gives what is in it. Nothing is left of it on the disk when this returns, nor after an error.
 *
 * @param make puts the file at the place that it is given
 * @throws PreavisError `output_unwritable`, and what `make` throws
 */
export async function handOut(config: Located, make: (file: string) => Promise<void>): Promise<HandedOut> {
  const folder = await mkdir(folderOf(config), { recursive: true, mode: 0o700 })
    .then(() => mkdtemp(join(folderOf(config), `${process.pid}-`)))
    .catch((cause: unknown) => {
      throw new PreavisError(
        'output_unwritable',
        `no file can be made beside the catalogue (${errnoOf(cause) ?? ''})`,
        {
          cause,
        },
      );
    });
  try {
    const file = join(folder, 'file');
    await make(file);
    const handle = await open(file, 'r');

    return { bytes: (await handle.stat()).size, body: handle.createReadStream() };
  } finally {
    // Who has it open still reads it.
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Removes what processes have left that were killed while they made a file. Called before this one makes any: in a container each process has
 * the number of the one before.
 */
export async function removeLeftovers(config: Located): Promise<void> {
  const names = await readdir(folderOf(config)).catch(() => []);
  const left = names.filter((name) => {
    const pid = Number.parseInt(name, 10);

    return pid === process.pid || !isAlive(pid);
  });
  await Promise.all(left.map((name) => rm(join(folderOf(config), name), { recursive: true, force: true })));
}
