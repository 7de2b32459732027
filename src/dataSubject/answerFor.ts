import type { CataloguePart } from '../catalogue/catalogue.ts';
import { asController } from '../config/controllerView.ts';
import type { Config } from '../config/schema.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { authoritiesFor } from '../papers/parts.ts';
import { loadPaperTexts } from '../papers/texts.ts';
import { loadAnswerTexts } from './answerTexts.ts';

import { erasureAnswerPage } from './erasureAnswer.ts';
import { callsOfPerson, type FindPorts, type Person } from './findCalls.ts';
import { subjectLanguages, type SubjectLanguage } from './languages.ts';
import type { SubjectErasure } from './personRequest.ts';

/** The answer to a person, and the language that they are told in. */

const isSubjectLanguage = (text: string): text is SubjectLanguage => subjectLanguages.some((each) => each === text);

export type AnswerFor = {
  person: Person;
  /** The company that answers; undefined where there is one alone. */
  controller: string | null | undefined;
};

type LanguagePorts = FindPorts & CataloguePart<{ preferences: 'find' }>;
export type AnswerPorts = { catalogue: LanguagePorts; config: Config; clock: Clock };

/**
 * That of the order, or what a caller was last spoken to in by this company, or the first of the configuration that there are words for.
 * In which language an employee is spoken to is not kept.
 */
export async function languageOf(
  asked: string | undefined,
  { person, controller }: AnswerFor,
  catalogue: LanguagePorts,
  config: Config,
): Promise<SubjectLanguage> {
  const isCaller = person.kind === 'caller';
  // It is remembered for all companies: another one may have spoken it.
  const remembered = isCaller && controller === undefined ? await catalogue.preferences.find(person.hash) : undefined;
  let told: readonly string[] = [];
  if (isCaller) {
    for await (const found of callsOfPerson(catalogue, person, controller)) {
      if (found.kind === 'call') told = found.call.languages;
    }
  }
  const known = [asked, remembered, ...told, ...config.notice.languages].map((tag) => (tag ?? '').split('_')[0] ?? '');

  return known.find(isSubjectLanguage) ?? 'en';
}

/**
 * Prepared before anything is erased, since then nobody knows any more what the person was spoken to in, and a text that is broken would
 * be found too late. `page` is HTML. Throws texts_invalid.
 */
export async function preparePage(
  asked: string | undefined,
  about: AnswerFor,
  { catalogue, config, clock }: AnswerPorts,
): Promise<{ language: SubjectLanguage; page: AnswerPage }> {
  const language = await languageOf(asked, about, catalogue, config);

  return { language, page: await answerPage(language, about.person, about.controller, { config, clock }) };
}

type AnswerPage = (result: SubjectErasure, unsearched: boolean) => string;

/** Throws texts_invalid. */
export async function answerPage(
  language: SubjectLanguage,
  person: AnswerFor['person'],
  controller: AnswerFor['controller'],
  { config, clock }: Pick<AnswerPorts, 'config' | 'clock'>,
): Promise<AnswerPage> {
  const [say, { authorities }] = [await loadAnswerTexts(language), await loadPaperTexts(language)];
  const seen = asController(config, controller ?? null);

  return (result, unsearched) =>
    erasureAnswerPage(
      {
        ...{ person, result, unsearched, language, config: seen },
        madeAt: isoTime(clock.now()),
        authorities: authoritiesFor(seen.purposes, { authorities }),
      },
      say,
    );
}
