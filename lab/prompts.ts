/** The shipped prompts as `preavis prompts install` puts them, made once for each state of the sounds: measuring them takes seconds. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ulid } from 'ulid';
import { installPrompts } from '../src/prompts/install.ts';
import { loadPrompts } from '../src/prompts/library.ts';
import { cacheFolder } from './machine/folders.mjs';
import { makeLabFolder } from './machine/processes.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const sounds = join(project, 'sounds');

/** Copies them into the sounds folder of an Asterisk. */
export async function installShippedPrompts(soundsFolder: string): Promise<void> {
  const installed = join(cacheFolder(), 'prompts', stateOf());
  if (!existsSync(installed)) {
    mkdirSync(dirname(installed), { recursive: true });
    const partial = makeLabFolder(dirname(installed), `preavis-lab-${ulid()}`);
    await installPrompts(await loadPrompts(sounds), sounds, partial.path);
    try {
      renameSync(partial.path, installed);
    } catch {
      // Another worker was faster.
    }
    partial.remove();
  }
  cpSync(installed, soundsFolder, { recursive: true });
}

/** Of the sounds, and of what installs them. */
function stateOf(): string {
  const hash = createHash('sha256');
  const files = readdirSync(sounds, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const installer = join(project, 'src', 'prompts');
  const code = readdirSync(installer).map((name) => join(installer, name));
  for (const file of [...files, ...code, join(project, 'src', 'core', 'files.ts')].sort()) {
    hash.update(file.slice(project.length)).update(readFileSync(file));
  }

  return hash.digest('hex').slice(0, 16);
}
