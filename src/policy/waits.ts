import type { ConsentMode } from '../config/consent.ts';
import type { Prompt } from '../prompts/library.ts';
import { neverShortened, shortenedModes } from './earlierNotice.ts';
import { modesOf, purposesOf, type Line, type Policy } from './policy.ts';
import { shortened, spokenIn } from './spokenIn.ts';

/** How long a caller waits for somebody to talk with, since they are told first. */

/** What a caller of a line hears in a language, or in two, under a mode of consent. Times are sums of the sounds, ms. */
export type LineWait = {
  line: string;
  languages: readonly string[];
  consent: ConsentMode;
  /** The languages that are offered first, and the wait for a key behind them; 0 where none are offered. */
  menuMs: number;
  /** Every sentence before the talk, with those of the company's own (`company`, `more`, `refuseLater`). */
  spokenMs: number;
  /** The same for who has heard the whole notice lately; null where they hear all of it again. */
  againMs: number | null;
  /** Of `spokenMs`, notice and question. */
  noticeMs: number;
  /** How long a caller who says nothing is waited for behind the question of an opt-in. */
  silenceMs: number;
  /** `noticeMs` beyond it is a warning. */
  longestMs: number;
};

/** A sentence of so many words takes longer in Dutch. For one purpose, announced or with opt-out. */
const longestMs = { nl: 10_000, other: 8_500 };
/** For several purposes, each with its time, and for what the law wants said of an obligation. */
const longestOfMuchMs = 13_000;
/** Two languages, one behind the other. */
const longestOfTwoMs = 18_000;
/** The question of an opt-in says two keys. */
const optInMs = 2_500;

/** The longest that notice and question shall take, ms. It is a proposal of Préavis: people hang up on long notices. */
function longestFor(languages: readonly string[], mode: ConsentMode, saysMuch: boolean): number {
  const count = languages.length;
  const [first = ''] = languages;
  const one = saysMuch ? longestOfMuchMs : first.startsWith('nl') ? longestMs.nl : longestMs.other;
  const all = count < 2 ? one : saysMuch ? count * longestOfMuchMs : longestOfTwoMs;

  return all + (mode === 'optIn' ? count * optInMs : 0);
}

const lengthOf = (prompts: readonly Prompt[]): number => prompts.reduce((sum, { lengthMs }) => sum + lengthMs, 0);

const isOptional = ({ kind }: Prompt): boolean => ['company', 'more', 'refuseLater'].includes(kind);

function menuOf(line: Line, policy: Policy): number {
  if (!line.askLanguage) return 0;
  const offers = policy.languages.flatMap((language) => policy.sentence('chooseLanguage', language) ?? []);

  return offers.length < 2 ? 0 : lengthOf(offers) + policy.choiceWaitMs;
}

function waitOf(line: Line, policy: Policy, languages: readonly string[], consent: ConsentMode): LineWait {
  const spoken = languages.flatMap((language) => spokenIn(policy, line.purposes, language, consent));
  const saysMuch =
    line.purposes.length > 1 || line.purposes.some((id) => policy.purposes.get(id)?.kind === 'obligation');

  const again = policy.shortens && shortenedModes(line, purposesOf(line, policy)).includes(consent);

  return {
    line: line.name,
    languages,
    consent,
    menuMs: menuOf(line, policy),
    spokenMs: lengthOf(spoken),
    againMs: again
      ? lengthOf(languages.flatMap((tag) => spokenIn(shortened(policy), line.purposes, tag, consent)))
      : null,
    noticeMs: lengthOf(spoken.filter((prompt) => !isOptional(prompt))),
    silenceMs: consent === 'optIn' ? policy.consent.waitMs : 0,
    longestMs: longestFor(languages, consent, saysMuch),
  };
}

/** What callers of each line wait: in each language, in the two of the line where it has two, and under each mode that they can have. */
export function waitsOf(policy: Policy): LineWait[] {
  return [...policy.lines.values()].flatMap((line) => {
    const alone = policy.languages.map((language) => [language]);
    const heard = line.defaultLanguages.length > 1 ? [...alone, line.defaultLanguages] : alone;

    return modesOf(line, policy).flatMap((consent) =>
      heard.map((languages) => waitOf(line, policy, languages, consent)),
    );
  });
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const spokenName = ({ languages }: LineWait): string => languages.join(' and ');

/** One line of text for each line and mode. */
export function waitsInWords(waits: readonly LineWait[]): string[] {
  const groups = new Map<string, LineWait[]>();
  for (const wait of waits) {
    const name = `${wait.line}, ${wait.consent}`;
    groups.set(name, [...(groups.get(name) ?? []), wait]);
  }

  return [...groups].map(([name, all]) => {
    const [{ menuMs, silenceMs } = { menuMs: 0, silenceMs: 0 }] = all;
    const menu = menuMs === 0 ? '' : `; ${seconds(menuMs)} before, where no language is known`;
    const silence = silenceMs === 0 ? '' : `; ${seconds(silenceMs)} more for who says nothing`;
    const again = all.flatMap((wait) =>
      wait.againMs === null ? [] : [`${spokenName(wait)} ${seconds(wait.againMs)}`],
    );
    const shorter = again.length === 0 ? '' : `; who heard it lately: ${again.join(', ')}`;

    return `${name}: ${all.map((wait) => `${spokenName(wait)} ${seconds(wait.spokenMs)}`).join(', ')}${menu}${silence}${shorter}`;
  });
}

/** Of the lines on which `notice.shorterWithinDays` changes nothing. */
export function neverShorterInWords(policy: Pick<Policy, 'shortens' | 'lines' | 'purposes'>): string[] {
  if (!policy.shortens) return [];

  return [...policy.lines.values()].flatMap((line) => {
    const why = neverShortened(line, purposesOf(line, policy));

    return why === undefined ? [] : [`${line.name}: nobody hears the shorter notice: ${why}`];
  });
}

/** Of the notices that are longer than they shall be. */
export function longWaits(waits: readonly LineWait[]): string[] {
  return waits
    .filter(({ noticeMs, longestMs: most }) => noticeMs > most)
    .map(
      (wait) =>
        `${wait.line}, ${wait.consent}: notice and question in ${spokenName(wait)} take ${seconds(wait.noticeMs)}, more than ${seconds(wait.longestMs)}`,
    );
}
