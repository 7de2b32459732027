import { z } from 'zod';
import { counted, loadTexts, template, text, textFile, textFor } from '../core/text/texts.ts';
import type { SubjectLanguage } from './languages.ts';

/** Every word of the answer to a request for erasure, in one language. */
export const answerTexts = (language: SubjectLanguage) =>
  z.strictObject({
    /** For dates. */
    locale: text,
    title: text,
    made: template('time'),
    intro: text,
    notStated: text,
    controller: textFor('heading', 'name', 'contact', 'officer'),
    none: text,
    erasedHeading: text,
    erased: counted(language),
    nothingErased: text,
    erasedOne: template('time', 'certificate'),
    goneOne: template('time'),
    certificates: text,
    forgotten: counted(language),
    language: text,
    keptHeading: text,
    kept: counted(language),
    keptCall: template('time'),
    until: template('why', 'time'),
    ended: template('purposes'),
    why: z.strictObject({
      dispute: text,
      authority: text,
      restriction: text,
      lock: text,
      obligation: template('purpose'),
      evidence: template('purpose'),
      unknown: text,
    }),
    afterwards: text,
    openHeading: text,
    unfinished: template('time'),
    lost: template('time'),
    failed: template('time'),
    openCalls: counted(language),
    unreadable: counted(language),
    unsearched: text,
    again: text,
    traceHeading: text,
    trace: text,
    unlinked: text,
    rightsHeading: text,
    rights: text,
    authority: text,
    employee: z.strictObject({
      none: text,
      period: template('from', 'until'),
      direct: counted(language),
      restriction: text,
      telephone: text,
    }),
  });
export type AnswerTexts = z.output<ReturnType<typeof answerTexts>>;

/** Throws PreavisError `texts_invalid`. */
export const loadAnswerTexts = (language: SubjectLanguage): Promise<AnswerTexts> =>
  loadTexts(textFile('erasureAnswer', language), answerTexts(language));
