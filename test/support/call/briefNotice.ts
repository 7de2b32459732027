/** A notice that is soon over, for tests in which something breaks before, in or after it: they wait for many notices. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { installPrompts } from '../../../src/prompts/install.ts';
import { loadPrompts } from '../../../src/prompts/library.ts';
import { toneWav } from '../policy/promptFolder.ts';
import { temporaryFolder } from '../temporaryFolder.ts';

export const noticeHz = 700;
/** Long enough for something to break in it, on a busy machine as well. */
const briefNoticeMs = 2_000;

export type BriefNotice = {
  /** The `notice` of a configuration that has it. */
  config(): { soundsFolder: string; languages: string[] };
  /** What `preavis prompts install` does. */
  install(asteriskSounds: string): Promise<void>;
};

/** More sentences, each a tone: what they are for, its frequency, and for a notice what it names. */
export type MoreSentences = Readonly<
  Record<string, { kind: string; hz: number; lengthMs: number; statesMaxDays?: Readonly<Record<string, number>> }>
>;

const entryOf = ({ kind, statesMaxDays }: MoreSentences[string]): string =>
  JSON.stringify({
    kind,
    ...(statesMaxDays === undefined ? {} : { wording: 'may', purposes: Object.keys(statesMaxDays), statesMaxDays }),
    text: { fr: 'Un ton.' },
  });

/** One sentence, in French alone by default, for calls that are recorded for training, in a folder that is gone after the tests. */
export function useBriefNotice(
  lengthMs = briefNoticeMs,
  more: MoreSentences = {},
  languages: readonly string[] = ['fr'],
): BriefNotice {
  const folder = temporaryFolder();
  const inEach = (text: string): string => languages.map((language) => `${language}: ${text}`).join(', ');
  beforeAll(() => {
    for (const [index, language] of languages.entries()) {
      mkdirSync(folder.path(language));
      // Two languages with the same file are taken for a mistake.
      writeFileSync(folder.path(`${language}/notice.wav`), toneWav(noticeHz, lengthMs + 10 * index));
    }
    for (const [id, each] of Object.entries(more)) {
      writeFileSync(folder.path(`fr/${id}.wav`), toneWav(each.hz, each.lengthMs));
    }
    const others = Object.entries(more).map(([id, each]) => `  ${id}: ${entryOf(each)}\n`);
    writeFileSync(
      folder.path('prompts.yaml'),
      `languages: { ${inEach('{ made: recording, voice: a tone }')} }
prompts:
  notice: { kind: whole, wording: may, purposes: [training], statesMaxDays: { training: 28 }, text: { ${inEach('Cet appel peut être enregistré.')} } }
${others.join('')}`,
    );
  });

  return {
    config: () => ({ soundsFolder: folder.path(), languages: [...languages] }),
    install: async (asteriskSounds) => {
      await installPrompts(await loadPrompts(folder.path()), folder.path(), asteriskSounds);
    },
  };
}
