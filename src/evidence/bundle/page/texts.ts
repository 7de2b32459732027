import { z } from 'zod';
import type { Direction } from '../../../catalogue/rows.ts';
import { holdGrounds } from '../../../catalogue/holdGrounds.ts';
import { counted, loadTexts, template, text, textFile, textFor } from '../../../core/text/texts.ts';
import type { ExplanationLanguage } from '../format.ts';
import { recipeSteps } from '../recipe.ts';

const word = z.string().regex(/^[^{}<>&]{1,80}$/, 'must be a word');
/** Who was told, in the cases that a language may have. */
const words = z.strictObject({ who: word, whom: word, whose: word });
const withWords = z.object({ told: z.object({ incoming: words, outgoing: words }) });

/** Puts the word for who was told into every text; what has none of them stays for the schema to refuse. */
function putInto(value: unknown, said: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string')
    return value.replace(/\{(who|whom|whose)\}/g, (written, name: string) => said[name] ?? written);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;

  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, putInto(each, said)]));
}

/**
 * What a page says in one language. What stands between backticks is shown as code, between two
 * asterisks bold. texts/bundle/en.yaml says what a key is for.
 */
// eslint-disable-next-line max-lines-per-function -- A list of keys.
const tree = (language: ExplanationLanguage) =>
  z.strictObject({
    told: z.strictObject({ incoming: words, outgoing: words }),
    title: text,
    about: template('recording'),
    aboutReceived: template('recording', 'company'),
    aboutMade: template('recording', 'company'),
    intro: template('madeAt', 'madeBy', 'timezone'),
    glance: textFor('recording', 'began', 'ended', 'lasts', 'after', 'choice', 'stamp', 'key', 'notStated'),
    choices: textFor('announced', 'couldRefuse', 'unheard', 'saidYes'),
    stamps: textFor('yes', 'no'),
    figure: textFor(
      ...(['noticeTrack', 'recordingTrack', 'begins', 'saidYes', 'pause', 'silence', 'caption', 'noSound'] as const),
    ),
    otherPages: text,
    quote: template('words'),
    acknowledged: text,
    alsoSaid: text,
    cutShort: template('heard', 'length'),
    apart: template('wall', 'file', 'missing'),
    pausedFor: template('from', 'to'),
    pausedOnRequest: template('from', 'to'),
    unexplained: template('seconds'),
    pausedOrMore: template('seconds'),
    meanwhile: text,
    silenced: template('from', 'to'),
    silencedForPause: template('from', 'to'),
    silencedSomewhere: text,
    joined: template('at'),
    transferred: template('at'),
    awareJoined: template('at'),
    newcomerTold: template('at'),
    newcomerRefused: template('at'),
    recordAsked: template('at'),
    agreementMarked: template('at'),
    unheard: template('from', 'to'),
    unheardToTheEnd: template('from'),
    callTitle: text,
    call: template('began', 'ended', 'seconds', 'bytes', 'sha256'),
    unknownTime: text,
    pauses: counted(language),
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
    earlier: template('call', 'at'),
    witness: textFor('agrees', 'disagrees', 'missing', 'unavailable', 'notCompared'),
    consentTitle: text,
    announced: text,
    couldRefuse: text,
    refusalUnknown: text,
    saidYes: template('key', 'at'),
    purposeTitle: text,
    days: counted(language),
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
    historyOwn: text,
    historyUnchained: counted(language),
    stamped: text,
    notStamped: template('madeAt'),
    limitsTitle: text,
    limits: text,
  });
export type ExplanationTexts = z.output<ReturnType<typeof tree>>;

/** The texts about calls of this direction, in this language. */
export const explanationTexts = (direction: Direction, language: ExplanationLanguage): z.ZodType<ExplanationTexts> =>
  z.preprocess((raw) => {
    const { data } = withWords.safeParse(raw);

    return data === undefined ? raw : putInto(raw, data.told[direction]);
  }, tree(language));

type InEach = Readonly<Record<ExplanationLanguage, ExplanationTexts>>;

/** Those of each language, for calls of each direction. Throws PreavisError `texts_invalid`. */
export async function loadExplanationTexts(): Promise<Readonly<Record<Direction, InEach>>> {
  const loadAll = async (direction: Direction): Promise<InEach> => {
    const load = (language: ExplanationLanguage): Promise<ExplanationTexts> =>
      loadTexts(textFile('bundle', language), explanationTexts(direction, language));
    const [fr, nl, de, en] = await Promise.all([load('fr'), load('nl'), load('de'), load('en')]);

    return { fr, nl, de, en };
  };
  const [incoming, outgoing] = await Promise.all([loadAll('incoming'), loadAll('outgoing')]);

  return { incoming, outgoing };
}
