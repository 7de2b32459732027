/** A notice that is soon over, for tests in which something breaks before, in or after it: they wait for many notices. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPrompts } from '../../src/config/installPrompts.ts';
import { loadPrompts } from '../../src/config/prompts.ts';
import { toneWav } from './promptFolder.ts';

const noticeHz = 700;
/** Long enough for something to break in it, on a busy machine as well. */
const briefNoticeMs = 2_000;

/** One sentence in French for calls that are recorded for training. */
export function writeBriefNotice(soundsFolder: string, lengthMs = briefNoticeMs): void {
  mkdirSync(join(soundsFolder, 'fr'), { recursive: true });
  writeFileSync(join(soundsFolder, 'fr/notice.wav'), toneWav(noticeHz, lengthMs));
  writeFileSync(
    join(soundsFolder, 'prompts.yaml'),
    `languages: { fr: { made: recording, voice: a tone } }
prompts:
  notice: { kind: whole, wording: may, purposes: [training], statesMaxDays: { training: 28 }, text: { fr: Cet appel peut être enregistré. } }
`,
  );
}

/** What `preavis prompts install` does. */
export async function installBriefNotice(soundsFolder: string, asteriskSounds: string): Promise<void> {
  await installPrompts(await loadPrompts(soundsFolder), soundsFolder, asteriskSounds);
}
