import { z } from 'zod';
import { holdGrounds } from '../../../catalogue/holdGrounds.ts';
import { loadTexts, template, text, textFile, textFor } from '../../../core/text/texts.ts';
import type { ExplanationLanguage } from '../format.ts';
import { recipeSteps } from '../recipe.ts';

/**
 * What a page says in one language. What stands between backticks is shown as code, between two
 * asterisks bold. texts/bundle/en.yaml says what a key is for.
 */
export const explanationTexts = z.strictObject({
  title: text,
  about: template('recording'),
  aboutReceived: template('recording', 'company'),
  intro: template('madeAt', 'madeBy'),
  glance: textFor('recording', 'began', 'ended', 'lasts', 'after', 'choice', 'stamp', 'key', 'notStated'),
  choices: textFor('announced', 'couldRefuse', 'unheard', 'saidYes'),
  stamps: textFor('yes', 'no'),
  figure: textFor(
    ...(['noticeTrack', 'recordingTrack', 'begins', 'saidYes', 'pause', 'silence', 'caption', 'noSound'] as const),
  ),
  otherPages: text,
  acknowledged: text,
  alsoSaid: text,
  cutShort: template('heard', 'length'),
  apart: template('wall', 'file', 'missing'),
  pausedFor: template('from', 'to'),
  unexplained: template('seconds'),
  pausedOrMore: template('seconds'),
  meanwhile: text,
  silenced: template('from', 'to'),
  silencedSomewhere: text,
  joined: template('at'),
  transferred: template('at'),
  awareJoined: template('at'),
  newcomerTold: template('at'),
  newcomerRefused: template('at'),
  unheard: template('from', 'to'),
  unheardToTheEnd: template('from'),
  callTitle: text,
  call: template('began', 'ended', 'seconds', 'bytes', 'sha256'),
  unknownTime: text,
  pauses: template('count'),
  flags: template('list'),
  noticeTitle: text,
  noticeIntro: text,
  sentence: template('language', 'from', 'to', 'sha256'),
  heardWhole: text,
  answeredMeanwhile: text,
  soundIn: template('file'),
  soundMissing: text,
  gap: template('seconds'),
  gapUnknown: text,
  witness: textFor('agrees', 'disagrees', 'missing', 'unavailable', 'notCompared'),
  consentTitle: text,
  announced: text,
  couldRefuse: text,
  refusalUnknown: text,
  saidYes: template('key', 'at'),
  purposeTitle: text,
  purpose: template('purpose', 'why', 'basis', 'days', 'until'),
  shortened: template('before'),
  policy: template('version'),
  holdGrounds: textFor(...holdGrounds),
  held: template('why', 'until'),
  checkTitle: text,
  check: template('kid'),
  byHand: text,
  steps: textFor(...recipeSteps),
  history: template('rows'),
  historyUnchained: template('unchained'),
  stamped: text,
  notStamped: template('madeAt'),
  limitsTitle: text,
  limits: text,
});
export type ExplanationTexts = z.output<typeof explanationTexts>;

/** Those of each language. Throws PreavisError `texts_invalid`. */
export async function loadExplanationTexts(): Promise<Readonly<Record<ExplanationLanguage, ExplanationTexts>>> {
  const load = (language: ExplanationLanguage): Promise<ExplanationTexts> =>
    loadTexts(textFile('bundle', language), explanationTexts);
  const [fr, nl, de, en] = await Promise.all([load('fr'), load('nl'), load('de'), load('en')]);

  return { fr, nl, de, en };
}
