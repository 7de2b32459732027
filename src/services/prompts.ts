import { loadPrompts, type PromptLibrary } from '../prompts/library.ts';
import type { Config } from '../config/schema.ts';
import { installedPath } from '../core/installation.ts';

/** The prompts of a configuration. */

/** The folder of sounds that comes with Préavis. */
const shippedSounds = installedPath('sounds');

export function soundsFolder(config: Config): string {
  return config.notice.soundsFolder ?? shippedSounds;
}

export function loadLibrary(config: Config): Promise<PromptLibrary> {
  return loadPrompts(soundsFolder(config));
}
