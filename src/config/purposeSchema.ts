import * as z from 'zod';
import { codes, recordsChoices } from './codes.ts';
import { consentModes } from './consent.ts';
import { key, name, quoted } from './field.ts';
import { jurisdictions } from './law.ts';
import { languageTag, localText } from './localText.ts';
import { purposeLocks } from './objectLockModes.ts';
import { extensionFault, newcomerRules } from './newcomers.ts';
import { purposeKinds } from './purposeKinds.ts';

/** The keys of `purposes` and `lines`. What they must not say together is in purposeRules.ts. */

/** turnAway: only where the law forbids to talk unrecorded. */
const unrecordableChoices = ['goOn', 'turnAway'] as const;

export const days = z.int().min(0).max(3653);
const country = z.string().regex(/^[A-Z]{2}$/, 'is not a country code such as DE');

/** Those of telephones, by their names in Asterisk. */
export const endpoints = z.array(quoted('101', extensionFault)).max(1_000);

/** A text that only the company can give: the error asks for it. */
const ownWords = (least: number, question: string) =>
  localText(
    z.string().trim().min(least, `is too short (at least ${least} characters): ${question}`),
    `is missing: ${question}`,
  );

export const purpose = z.strictObject({
  names: z
    .record(
      languageTag,
      key(
        z.string().trim().min(1).max(100),
        'What the purpose is called in this language, in the console, in exports for persons and bundles of evidence; each of notice.languages needs one.',
      ),
    )
    .default({}),
  justification: key(
    ownWords(20, 'why does this company record for this purpose, in a sentence'),
    'Why this company records for this purpose, in words; goes into each receipt. One text, or one for each language of the readers.',
  ),
  legalBasis: key(
    ownWords(3, 'on which legal basis, as counsel put it'),
    'The legal basis, as counsel put it; goes into each receipt. One text, or one for each language of the readers.',
  ),
  jurisdiction: key(
    z.enum(jurisdictions),
    "Whose law it is recorded under: that of the company's establishment; EU: only obligation (MiFID II); other: no rule of law is checked.",
  ),
  kind: key(
    z.enum(purposeKinds).default('training'),
    'Which rules apply. training: also quality and anything else. evidence: of an agreement. obligation: the law requires the recording, and legalBasis must name GDPR art. 6(1)(c).',
  ),
  consent: key(
    z.enum(consentModes),
    'What the caller may choose: announce (nothing), optOut (a key refuses), optIn (a key accepts, silence is a no).',
  ),
  optInForCountries: key(
    z.array(country).default([]),
    'Countries of caller numbers for which it is optIn whatever consent says.',
  ),
  keepDays: key(
    days,
    'How long a recording is kept after the call; never longer than the notice says or maximumDays.',
    {
      unit: 'days',
    },
  ),
  maximumDays: key(
    days.optional(),
    'The longest that law or authority allow for it; default: what the law of the jurisdiction says, or else what is usual there.',
    { unit: 'days' },
  ),
  holdsAllowed: key(
    z.boolean().default(false),
    'Whether a hold may keep a recording beyond its end; for a dispute; never for training.',
  ),
  lock: key(
    z.enum(purposeLocks).default('none'),
    'Which Object Lock its recordings get in the archive until its end: none, governance (whoever has that right may lift it) or compliance (nobody can). What is locked cannot be erased earlier, not on request either.',
  ),
  mayListen: key(
    z.array(name).default([]),
    'The roles that may listen to its recordings, for example coach. Users and tokens of `access` hear them only if their role is here; `recordings fetch` and the register name the roles.',
  ),
  recordPercent: key(
    z.int().min(1).max(100).default(100),
    'How many of its calls are recorded, drawn by lot; below 100 the notice must say "may be recorded".',
    { unit: '%' },
  ),
  whenUnrecordable: key(
    z.enum(unrecordableChoices).default('goOn'),
    'What becomes of a caller who cannot be told or recorded: goOn (they talk unrecorded), or turnAway (they hear that it cannot be, and are not put through); only for kind obligation.',
  ),
  source: key(z.string().trim().min(1).optional(), 'Where these values come from.'),
  checkedByCounsel: key(
    z.boolean().default(false),
    'Whether counsel has checked it; `preavis check` names those not. It allows more than an authority proposes: more calls than a sample, or whole talks (only in FR).',
  ),
});

export const line = z.strictObject({
  names: key(
    localText(z.string().trim().min(1).max(100)).optional(),
    'What the line is called in the console, in exports for persons and in the register: one text, or one for each language of the readers; default: its name here.',
  ),
  purposes: key(z.array(name).min(1).max(4), 'The purposes that calls on this line are recorded for.'),
  controller: key(
    name.optional(),
    'The company, by its name in controllers, that its recordings belong to; without it, controller.',
  ),
  language: key(
    languageTag.optional(),
    'The language of this line whoever calls, for a number that is published in one language.',
  ),
  askLanguage: key(
    z.boolean().default(false),
    'Whether a caller whose language nobody has told is offered the languages, to choose by a key.',
  ),
  defaultLanguages: key(
    z.array(languageTag).min(1).max(2),
    'The languages of the notice when nothing says more about the caller; two are played one after the other.',
  ),
  staff: key(
    endpoints.optional(),
    'The endpoints of those who know that calls of this line are recorded, where it is not staff.extensions: those of one company of several. Default: staff.extensions.',
  ),
  newcomers: key(
    z.enum(newcomerRules).default('stop'),
    'What becomes of the recording when somebody joins the talk, or takes a place in it, who was not told. stop: it ends. inside: it goes on with staff.extensions, and ends with anybody else. tell: with anybody else it pauses until they alone were told.',
  ),
  calledParty: key(
    z.enum(['untold', 'told']).default('untold'),
    'Whether those outside who are called by this line have been told of the recording in another way. untold: a call that Préavis dials to an outside number goes on unrecorded (called_party_untold). told: it is recorded once the caller was told.',
  ),
  internalCalls: key(
    z.enum(['leave', 'record']).default('leave'),
    'What becomes of calls of which both ends are in staff.extensions: leave (they go on untold and unrecorded) or record (they are told and recorded as others).',
  ),
  records: key(
    z.enum(recordsChoices).default('always'),
    'When calls of this line are recorded: always (from the beginning of the talk) or onRequest (the notice is told as always, and nothing is recorded until codes.record is pressed, or a program or a command asks for it).',
  ),
  codes: codes.optional(),
  pauseSeconds: key(
    z.int().min(10).max(3_600).optional(),
    'After how long a pause ends by itself; without it, it stays until somebody ends it.',
    { unit: 's' },
  ),
  sound: key(
    z.enum(['mono', 'stereo']).default('mono'),
    'How calls are recorded: mono (all in one channel) or stereo (the caller left, the others right, in files of twice the size; only where your dialplan dials, by preavis-tell).',
  ),
});

export type PurposeConfig = z.output<typeof purpose>;
export type LineConfig = z.output<typeof line>;
