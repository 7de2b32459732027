import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  plainWav,
  type PromptFormat,
  promptFormats,
  readPromptSound,
  type Sound,
} from '../../../src/prompts/soundFile.ts';
import { makePrivateFolder } from '../temporaryFolder.ts';

/** The folder that Préavis ships. */
export const shippedSounds = join(import.meta.dirname, '..', '..', '..', 'sounds');

/** A prompts folder that belongs to one test. */
export type PromptFolder = {
  path: string;
  /** Writes prompts.yaml. */
  yaml(text: string): Promise<void>;
  /** Writes a sound file, `fr/keep.wav`. */
  write(file: string, bytes: Buffer): Promise<void>;
  /** Copies one shipped sentence, in all formats or in those given, under an id of this folder. */
  ship(shipped: string, as: string, formats?: readonly PromptFormat[]): Promise<void>;
  remove(): void;
};

export function makePromptFolder(): PromptFolder {
  const folder = makePrivateFolder();
  const { path } = folder;
  const write = async (file: string, bytes: Buffer): Promise<void> => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), bytes);
  };
  return {
    path,
    write,
    yaml: (text) => write('prompts.yaml', Buffer.from(text)),
    async ship(shipped, as, formats = promptFormats) {
      await mkdir(dirname(join(path, as)), { recursive: true });
      for (const format of formats) {
        await copyFile(join(shippedSounds, `${shipped}.${format}`), join(path, `${as}.${format}`));
      }
    },
    remove: () => {
      folder.remove();
    },
  };
}

/** A shipped sound, `fr/notice-both`, decoded. */
export async function shippedSound(name: string, format: PromptFormat): Promise<Sound> {
  const sound = readPromptSound(format, await readFile(join(shippedSounds, `${name}.${format}`)));
  if (typeof sound === 'string') throw new Error(`${name}.${format} ${sound}`);
  return sound;
}

// In a test run, to look up a global costs far more than to use it, and a tone has half a million samples.
const { sin, round, PI } = Math;

/** A tone of this many ms at 8000 Hz, half of full scale; each frequency gives another hash. */
export function toneWav(frequencyHz: number, ms = 1000): Buffer {
  const samples = new Int16Array(ms * 8);
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = round(16384 * sin((2 * PI * frequencyHz * index) / 8000));
  }
  return plainWav({ rate: 8000, samples });
}
