import type { Records } from '../config/codes.ts';
import { notAlwaysRecorded } from '../config/purposeRules.ts';
import type { PromptText } from '../prompts/library.ts';

/** What the sentences of a notice must say, and must not. */

type NoticePurpose = Parameters<typeof notAlwaysRecorded>[0][number];

/** What these rules ask of a sentence; a prompt may know more. */
export type NoticeSentence = Pick<PromptText, 'id' | 'language' | 'kind' | 'purposes' | 'statesMaxDays' | 'wording'>;

const storageKind = 'storage';

/** Faults of the notice that a call with these purposes hears in one language, without where it is configured. */
export function noticeFaults(
  notice: readonly NoticeSentence[],
  purposes: readonly NoticePurpose[],
  records: Records = 'always',
): string[] {
  const faults: string[] = [];
  const language = notice[0]?.language ?? '';
  for (const { id } of purposes) {
    if (!notice.some((sentence) => sentence.kind !== storageKind && sentence.purposes.includes(id))) {
      faults.push(`no sentence in ${language} says that calls are recorded for ${id}`);
    }
    if (!notice.some(({ statesMaxDays }) => statesMaxDays !== null && Object.hasOwn(statesMaxDays, id))) {
      faults.push(`no sentence in ${language} says how long recordings for ${id} are kept`);
    }
  }
  const why = records === 'onRequest' ? 'its line records on request' : notAlwaysRecorded(purposes);
  for (const { id, wording } of notice) {
    if (wording !== 'is' || why === undefined) continue;
    faults.push(`prompt ${id} (${language}) says that the call is recorded, but ${why}: it must say "may be"`);
  }

  return faults;
}

/** What these sentences, of which no notice can be made, lack for it. */
export function missingSentences(
  sentences: readonly NoticeSentence[],
  purposes: readonly string[],
  language: string,
): string {
  const ofLanguage = sentences.filter((sentence) => sentence.language === language);
  const has = (purpose: string, isThis: (sentence: NoticeSentence) => boolean): boolean =>
    ofLanguage.some((sentence) => sentence.purposes.includes(purpose) && isThis(sentence));
  const missing = purposes.flatMap((purpose) => [
    ...(has(purpose, ({ kind }) => kind !== storageKind) ? [] : [`why calls are recorded (${purpose})`]),
    ...(has(purpose, ({ statesMaxDays }) => statesMaxDays !== null) ? [] : [`for how long that is kept (${purpose})`]),
  ]);

  return missing.length === 0
    ? `no sentences name exactly these purposes together, or each of them by itself`
    : `no sentence says ${missing.join(', nor ')}`;
}
