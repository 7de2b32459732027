import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from '../../build.mjs';
import { makeLabFolder, type LabFolder } from '../../lab/machine/processes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: LabFolder | undefined;
const addresses = new Map<string, string>();

afterAll(() => {
  folder?.remove();
});

/** Below node_modules, where packages are found that are not in the file itself; other accounts may read it. */
function folderForAll(): string {
  if (folder === undefined) {
    folder = makeLabFolder(join(root, 'node_modules', '.cache'), `preavis-lab-built-${process.pid}`);
    chmodSync(folder.path, 0o755);
  }

  return folder.path;
}

/** The address of a module of `src`, with all that it imports in one file, for programs that run without jest. */
export function built(module: string): string {
  const known = addresses.get(module);
  if (known !== undefined) return known;
  const outdir = folderForAll();
  bundle({ entryPoints: [join('src', module)], outdir });
  const { href } = pathToFileURL(join(outdir, module.replace(/\.ts$/, '.js')));
  addresses.set(module, href);

  return href;
}
