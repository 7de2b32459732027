import { z } from 'zod';
import { holdGrounds } from '../catalogue/holdGrounds.ts';
import { consentModes } from '../config/consent.ts';
import { counted, loadTexts, template, text, textFile, textFor } from '../core/text/texts.ts';
import type { SubjectLanguage } from './languages.ts';

/** Every word of index.html in one language. */
// eslint-disable-next-line max-lines-per-function -- A list of texts.
export const subjectTexts = (language: SubjectLanguage) =>
  z.strictObject({
    /** For dates and names of languages. */
    locale: text,
    title: text,
    intro: text,
    made: template('time', 'timezone'),
    notStated: text,
    controller: textFor('heading', 'name', 'contact', 'officer', 'listeners', 'recipients', 'transfers', 'noTransfers'),
    person: textFor('heading', 'number', 'numberHidden', 'language', 'noLanguage'),
    purposes: textFor('heading', 'ownWords', 'purpose', 'why', 'basis'),
    calls: z.strictObject({
      heading: text,
      count: counted(language),
      unreadable: counted(language),
      call: text,
      line: text,
      dialled: text,
      languages: text,
      result: text,
      told: text,
      receipt: text,
      receiptMissing: text,
      purposes: text,
    }),
    results: textFor('recorded', 'unrecorded', 'notConnected', 'abandoned'),
    goingOn: text,
    modes: textFor(...consentModes),
    untold: text,
    earlier: template('time'),
    answers: textFor('accepted', 'refused'),
    recording: z.strictObject({
      heading: text,
      length: counted(language),
      fingerprint: text,
      keptUntil: text,
      until: template('purpose', 'time'),
      holds: text,
      hold: template('why', 'from', 'until'),
      tags: text,
      rating: text,
      ratingOf: template('score', 'time'),
      criterion: template('label', 'value', 'points'),
      comments: text,
      commentAt: template('second', 'text'),
      listened: text,
      nobody: text,
      access: template('what', 'time'),
      accessFor: template('what', 'time', 'purpose'),
    }),
    holds: textFor(...holdGrounds),
    access: textFor('fetched', 'bundled', 'exported', 'exportedToOther'),
    absent: textFor('unfinished', 'lost', 'discarded', 'unusable', 'unreadable'),
    erased: text,
    erasedOn: template('time'),
    erasedCertified: template('certificate'),
    erasedOnCertified: template('time', 'certificate'),
    rights: z.strictObject({
      heading: text,
      paragraphs: textFor('rectification', 'consent', 'complaint', 'source', 'otherVoice'),
    }),
    employee: z.strictObject({
      intro: text,
      extension: text,
      direct: text,
      dialled: text,
      never: text,
      toldBy: text,
      others: text,
      period: template('from', 'until'),
      hold: template('from', 'until'),
    }),
  });
export type SubjectTexts = z.output<ReturnType<typeof subjectTexts>>;

/** Throws PreavisError `texts_invalid`. */
export const loadSubjectTexts = (language: SubjectLanguage): Promise<SubjectTexts> =>
  loadTexts(textFile('dataSubject', language), subjectTexts(language));
