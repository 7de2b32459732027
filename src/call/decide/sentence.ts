import type { Prompt } from '../../prompts/library.ts';
import type { PlaybackId } from '../../core/ids.ts';

/** One sentence of the notice, with the id of the playback that will say it. */
export type Sentence = { prompt: Prompt; playbackId: PlaybackId };

/** Whether a sentence asks for consent. */
export function isQuestion({ prompt }: Sentence): boolean {
  return prompt.kind === 'optIn';
}
