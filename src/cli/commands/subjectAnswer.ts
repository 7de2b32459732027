import { appearWhole, refuseTaken, writing } from '../../archive/verifiedCopy.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { preparePage, type AnswerFor, type AnswerPorts } from '../../dataSubject/answerFor.ts';
import { subjectLanguages, type SubjectLanguage } from '../../dataSubject/languages.ts';
import type { SubjectErasure } from '../../dataSubject/personRequest.ts';
import { oneOf, requireFileName } from '../options.ts';

/** The answer that `subject erase` makes for the person. */

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

/** The page, prepared before anything is erased. What it gives writes it into the file. Throws texts_invalid. */
export async function prepareAnswer(
  { answer: file, language: asked, force = false }: AnswerOptions,
  person: AnswerFor,
  ports: AnswerPorts,
): Promise<((result: SubjectErasure, unsearched: boolean) => Promise<Written>) | undefined> {
  if (file === undefined) return undefined;
  const { language, page } = await preparePage(asked, person, ports);

  return async (result, unsearched) => {
    const failure = await appearWhole(
      { file, replace: force },
      (handle) => writing(() => handle.writeFile(page(result, unsearched))),
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
