import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { makeLabFolder, type LabFolder } from '../../lab/machine/processes.ts';

/** A folder for us alone, which is removed also when this process is killed. */
export function makePrivateFolder(): LabFolder {
  const folder = makeLabFolder();
  chmodSync(folder.path, 0o700);
  return folder;
}

/** A folder of its own for the tests of one file, removed after them. */
export function temporaryFolder(): { path(name?: string): string } {
  let folder: LabFolder | undefined;
  beforeAll(() => {
    folder = makePrivateFolder();
  });
  afterAll(() => {
    folder?.remove();
  });
  return { path: (name = '') => join(folder?.path ?? '', name) };
}
