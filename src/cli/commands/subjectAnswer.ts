import { appearWhole, refuseTaken, writing } from '../../archive/verifiedCopy.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import { asController } from '../../config/controllerView.ts';
import type { Config } from '../../config/schema.ts';
import { isoTime, type Clock } from '../../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { loadAnswerTexts } from '../../dataSubject/answerTexts.ts';
import type { SubjectErasure } from '../../dataSubject/erase.ts';
import { callsOfPerson, type Person } from '../../dataSubject/findCalls.ts';
import { erasureAnswerPage } from '../../dataSubject/erasureAnswer.ts';
import { subjectLanguages, type SubjectLanguage } from '../../dataSubject/languages.ts';
import { authoritiesFor } from '../../papers/parts.ts';
import { loadPaperTexts } from '../../papers/texts.ts';
import { oneOf, requireFileName } from '../options.ts';

/** The answer that `subject erase` makes for the person, and the language that a person is told in. */

const isSubjectLanguage = (text: string): text is SubjectLanguage => subjectLanguages.some((each) => each === text);

/**
 * That of the order, or what a caller was last spoken to in by this company, or the first of the configuration that there are words for.
 * In which language an employee is spoken to is not kept.
 */
export async function languageOf(
  asked: string | undefined,
  { person, controller }: Asked,
  catalogue: Catalogue,
  config: Config,
): Promise<SubjectLanguage> {
  const isCaller = person.kind === 'caller';
  const remembered = isCaller ? await catalogue.preferences.find(person.hash) : undefined;
  let told: readonly string[] = [];
  if (isCaller) {
    for await (const found of callsOfPerson(catalogue, person, controller)) {
      if (found.kind === 'call') told = found.call.languages;
    }
  }
  const known = [asked, remembered, ...told, ...config.notice.languages].map((tag) => (tag ?? '').split('_')[0] ?? '');

  return known.find(isSubjectLanguage) ?? 'en';
}

export type AnswerOptions = {
  apply: boolean;
  /** Where it goes; undefined: none is made. */
  answer?: string | undefined;
  language?: string | undefined;
  force?: boolean;
};

/** Throws usage. */
export async function checkAnswer({ answer: file, language, apply, force = false }: AnswerOptions): Promise<void> {
  if (language !== undefined) oneOf('--language', language, subjectLanguages);
  if (file === undefined) return;
  requireFileName(file, '--answer');
  if (!apply) throw new PreavisError('usage', '--answer needs --apply: before, there is nothing to answer');
  await refuseTaken({ file, replace: force }, '--answer');
}

/** What became of it; a failure is no error, since what was erased is told all the same. */
type Written = { file: string; language: SubjectLanguage; failure: ErrorCode | null };

type Asked = {
  person: Person;
  /** The company that answers; undefined where there is one alone. */
  controller: string | null | undefined;
};

/**
 * Prepared before anything is erased, since then nobody knows any more what the person was spoken to in, and a text that is broken would
 * be found too late. What it gives writes the page. Throws texts_invalid.
 */
export async function prepareAnswer(
  { answer: file, language: asked, force = false }: AnswerOptions,
  { person, controller }: Asked,
  { catalogue, config, clock }: { catalogue: Catalogue; config: Config; clock: Clock },
): Promise<((result: SubjectErasure, unsearched: boolean) => Promise<Written>) | undefined> {
  if (file === undefined) return undefined;
  const language = await languageOf(asked, { person, controller }, catalogue, config);
  const [say, { authorities }] = [await loadAnswerTexts(language), await loadPaperTexts(language)];
  const seen = asController(config, controller ?? null);

  return async (result, unsearched) => {
    const facts = {
      ...{ person, result, unsearched, language, config: seen },
      madeAt: isoTime(clock.now()),
      authorities: authoritiesFor(seen.purposes, { authorities }),
    };
    const failure = await appearWhole(
      { file, replace: force },
      (handle) => writing(() => handle.writeFile(erasureAnswerPage(facts, say))),
      () => Promise.resolve(),
    ).then(
      () => null,
      (thrown: unknown) => asPreavisError(thrown).code,
    );

    return { file, language, failure };
  };
}

export const answerInWords = ({ file, language, failure }: Written): string =>
  failure === null
    ? `the answer to the person, in ${language}: ${file}. Read it before you send it`
    : `the answer to the person could not be written (${failure})`;
