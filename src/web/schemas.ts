import * as z from 'zod';
import { referenceForm } from '../access/audit.ts';
import { searchGrounds } from '../access/searchGrounds.ts';
import { callResults } from '../catalogue/calls/calls.ts';
import { holdGrounds } from '../catalogue/holdGrounds.ts';
import { directions } from '../catalogue/rows.ts';
import { recordingStatuses } from '../catalogue/statuses.ts';
import { receiptSchema } from '../receipt/receipt.ts';
import { cursor } from './cursor.ts';

/** What goes in and out. Times are ISO 8601 in UTC. What a schema does not name does not leave. */

export const components = z.registry<{ id: string }>();
export const named = <T extends z.ZodType>(id: string, schema: T): T => {
  components.add(schema, { id });

  return schema;
};

const time = z.iso.datetime();
/** With its zone; `2026-08-24` alone would be the day of nobody in particular. */
export const timeGiven = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
/** A name of the configuration, as somebody has written it. */
export const nameGiven = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a name of the configuration: lower-case letters, digits and hyphens');
const extensionForm = /^[A-Za-z0-9*#+._-]{1,80}$/;
/** A number as people write it, or an extension. */
const dialledForm = /^([+(]{0,2}[0-9][0-9 ().\/-]{2,37}|[0-9A-Za-z*#._-]{1,40})$/;

const reasonCode = z.string().regex(/^[a-z_]{1,40}$/, 'is not a code such as spool_full');

export const id = z.strictObject({ id: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is not an id') });

/** A page of a list. */
export const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('At most this many.'),
  cursor: cursor.optional(),
};

/** Letters, digits and little else of any language: a tag stands in addresses and tables. */
export const tagGiven = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,39}$/u, 'is not a tag of at most 40 letters, digits, spaces and -_.')
  .transform((text) => text.normalize('NFC').toLocaleLowerCase('en'));
/** As text, since it stands in addresses. */
const seconds = z.coerce.number().int().min(0).max(86_400);
const score = z.coerce.number().int().min(0).max(100);

export const pbxGiven = nameGiven.describe('The PBX that it came to, as `ari.pbx` names it.');

/** Filters of calls. */
const chosen = {
  from: timeGiven.optional().describe('Begun then or later.'),
  to: timeGiven.optional().describe('Begun before then.'),
  line: nameGiven.optional(),
  purpose: nameGiven.optional(),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'is not a language such as nl')
    .optional()
    .describe('In which the notice was said, or one of two.'),
  direction: z.enum(directions).optional(),
  result: z.enum(callResults).optional().describe('turnedAway is a part of unrecorded; goingOn: it has not ended.'),
  reason: reasonCode.optional().describe('Why it was not recorded: docs/dialplan.md.'),
  extension: z
    .string()
    .regex(extensionForm, 'is not the name of an endpoint, such as 101 or acme-101')
    .optional()
    .describe('Answered there, or dialled from there; only where it is kept.'),
  dialled: z
    .string()
    // `+` that is not written as `%2B` comes as a space.
    .trim()
    .regex(dialledForm, 'is neither a telephone number nor an extension')
    .optional()
    .describe('The number of yours that the caller dialled, in any form, or an extension; only where it is kept.'),
  status: z.enum(recordingStatuses).optional(),
  lengthFrom: seconds.optional().describe('Recorded for so long at least, s.'),
  lengthTo: seconds.optional().describe('Recorded for so long at most, s.'),
  flag: reasonCode.optional(),
  held: z.literal('true').optional().describe('Kept by a hold.'),
  exemplary: z.literal('true').optional().describe('Marked as exemplary while the call went on.'),
  controller: nameGiven.optional().describe('The company that it was for, of `controllers`; `own`: none of them.'),
  pbx: pbxGiven.optional(),
  tag: tagGiven.optional(),
  collection: nameGiven.optional(),
  scoreFrom: score.optional().describe('Rated, and at least so well.'),
  scoreTo: score.optional().describe('Rated, and at most so well.'),
};

export const listQuery = z.strictObject({ ...chosen, ...page });
export type Filters = Omit<z.output<typeof listQuery>, 'limit' | 'cursor'>;
export const referenceGiven = z
  .string()
  .regex(referenceForm, 'is not the number of a ticket or a file: at most 40 letters, digits and ._/-, no spaces')
  .describe('The number of a ticket or a file. No names.');
/** A telephone number stands in no address: those are in logs. */
export const searchBody = z.strictObject({
  ...chosen,
  number: z.string().min(1).max(40).describe('In any national or international form, or a tel: URI.'),
  ground: z
    .enum(searchGrounds)
    .describe('Why: a request of the person, an agreement, a dispute, or a question of an authority.'),
  reference: referenceGiven.optional(),
  limit: z.int().min(1).max(200).default(50),
  cursor: cursor.optional(),
});

const purposeEnd = z.object({
  purpose: z.string(),
  keepUntil: time.nullable().describe('null: not finished, or nothing is kept.'),
  inForce: z.boolean(),
});

export const recordingPart = named(
  'RecordingSummary',
  z.object({
    id: z.string(),
    status: z.enum(recordingStatuses),
    startedAt: time.nullable(),
    durationMs: z.int().nullable(),
    bytes: z.int().nullable(),
    flags: z.array(z.string()),
    failure: z.string().nullable(),
    keepUntil: time.nullable(),
    purposes: z.array(purposeEnd),
    held: z.boolean(),
    erasureDecided: time
      .nullable()
      .describe(
        'When somebody decided to erase it, while that is not carried out: its purposes ended then. null: nobody has.',
      ),
    exemplary: z.boolean().describe('Marked as exemplary while the call went on.'),
    tags: z.array(z.string()),
    score: z.int().nullable().describe('Of its rating, from 0 to 100.'),
    collections: z.array(z.string()),
  }),
);

export const callPart = named(
  'CallSummary',
  z.object({
    id: z.string(),
    startedAt: time,
    endedAt: time.nullable(),
    line: z.string().nullable(),
    controller: z.string().nullable().describe('The company that it was for, of `controllers`; null: the own.'),
    pbx: z.string().nullable().describe('The PBX that it came to, as `ari.pbx` names it; null: it had no name.'),
    direction: z.enum(directions),
    extension: z.string().nullable(),
    dialled: z
      .string()
      .nullable()
      .describe('The number of yours that the caller dialled: `+3225550100`, or an extension; null: not known.'),
    purposes: z.array(z.string()),
    languages: z.array(z.string()),
    languageReason: z.string().nullable(),
    consent: z.object({
      mode: z.enum(['announce', 'optOut', 'optIn']).nullable(),
      answer: z.enum(['none', 'accepted', 'refused']),
    }),
    result: z.string().nullable(),
    reason: z.string().nullable(),
    dialStatus: z.string().nullable(),
  }),
);

export const next = z
  .string()
  .nullable()
  .describe('cursor of the next page; null after the last one. A page may be short, or empty, and have a next one.');

export const listedCall = named('Call', callPart.extend({ recording: recordingPart.nullable() }));
export const callPage = named('CallPage', z.object({ calls: z.array(listedCall), next }));
export const foundCalls = named(
  'FoundCalls',
  z.object({
    calls: z.array(listedCall),
    next,
    keysNotSearched: z
      .array(z.string())
      .describe('Calls are kept under other keys of numbers, too, and are not found.'),
  }),
);

export const listedRecording = named('Recording', recordingPart.extend({ call: callPart }));
export const recordingPage = named('RecordingPage', z.object({ recordings: z.array(listedRecording), next }));

export const hold = named(
  'Hold',
  z.object({
    id: z.string(),
    recording: z.string(),
    ground: z.enum(holdGrounds),
    reason: z.string().nullable().describe('null for who may not set holds: it may name people.'),
    setBy: z.string(),
    setAt: time,
    reviewAt: time,
    expiresAt: time,
    releasedAt: time.nullable(),
    releasedBy: z.string().nullable(),
  }),
);

const certificate = z.object({ number: z.int(), sha256: z.string() });

export const auditStep = z.object({
  at: time,
  event: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  actor: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

// The receipt has an id of its own in the registry: it is what docs/receipt.schema.json says.
const receipt = named('Receipt', receiptSchema);

const liveTasks = ['pause', 'resume', 'record', 'agreement'] as const;

export const liveCall = named(
  'LiveCall',
  callPart
    .pick({
      id: true,
      startedAt: true,
      line: true,
      pbx: true,
      direction: true,
      extension: true,
      purposes: true,
      languages: true,
    })
    .extend({
      phase: z.string().describe('A state of docs/call.md.'),
      isRecording: z.boolean(),
      isPaused: z.boolean(),
      tasks: z
        .array(z.enum(liveTasks))
        .describe('What can be asked of it now, by POST /live/{id}/TASK of who may act on it.'),
    }),
);

export const callDetail = named(
  'CallDetail',
  z.object({
    call: listedCall,
    receipt,
    holds: z.array(hold),
    certificates: z.array(certificate),
    unheard: z
      .string()
      .nullable()
      .describe(
        'Why you may not hear it, a code of docs/errors.md; null where you may, and where nothing was recorded.',
      ),
    holdGrounds: z.array(z.enum(holdGrounds)).describe('The grounds on which you may set a hold now.'),
  }),
);

export const recordingDetail = named(
  'RecordingDetail',
  z.object({
    recording: listedRecording,
    sha256: z.string().nullable(),
    gapMs: z.int().nullable(),
    holds: z.array(hold),
    certificates: z.array(certificate),
    audit: z.array(auditStep).nullable().describe('null for who may not read the audit trail.'),
    mayAskFor: z
      .array(z.string())
      .describe('The purposes for which you may ask that somebody approves that you hear it.'),
  }),
);
