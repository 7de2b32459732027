import * as z from 'zod';
import { newcomerRules } from '../config/newcomers.ts';
import { jsonIn } from '../core/text/json.ts';
import type { CallState } from '../call/decide/state.ts';

/**
 * The form of a call's state in the catalogue, as far as `decide` and the registry rely on it. Another version of Préavis
 * may have written it: what does not have this form cannot be taken up.
 */

const text = z.string();
const time = z.number().optional();
const sentence = z.looseObject({
  playbackId: text,
  prompt: z.looseObject({
    id: text,
    language: text,
    text,
    kind: text,
    sha256: text,
    lengthMs: z.number(),
    soundName: text,
    purposes: z.array(text).default([]),
    statesMaxDays: z.record(text, z.number().nullable()).nullable().default(null),
  }),
});
const sentences = z.array(sentence);
const played = z.array(z.looseObject({ sentence, startedAt: time, finishedAt: time, verdict: text }));
const told = z.looseObject({ sentences: played, finishedAt: z.number() });
const answer = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('none') }),
  z.looseObject({ kind: z.enum(['accepted', 'refused']), digits: text, at: z.number() }),
]);
const asker = z.enum(['caller', 'destination', 'operator']);
const paused = z
  .looseObject({
    since: z.number(),
    by: z.enum([...asker.options, 'line']),
    until: time,
    endsBy: z.enum([...asker.options, 'limit']).optional(),
    saying: z.enum(['paused', 'resumed']).optional(),
  })
  .optional();
const recorder = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('withheld'),
    why: z.enum(['interrupted', 'untold_party', 'never_recorded', 'not_requested']).default('interrupted'),
  }),
  z.looseObject({
    kind: z.enum(['none', 'awaited', 'requested', 'running', 'finished', 'discarded', 'failed']),
    startedAt: time,
    finishedAt: time,
    erasedBy: asker.optional(),
    resumes: z
      .looseObject({ startedAt: time, pausedAt: time, doneAt: time, askedAt: time, isHold: z.literal(true).optional() })
      .optional(),
  }),
]);

// What older versions did not write has the value that comes nearest to what they did.
const refusal = z.looseObject({ acknowledgement: sentences, erasure: sentences.default([]), featureCode: text });
const consent = z.discriminatedUnion('mode', [
  z.looseObject({ mode: z.literal('announce') }),
  z.looseObject({ mode: z.literal('optOut'), refuse: text, refusal }),
  z.looseObject({
    mode: z.literal('optIn'),
    accept: text,
    refuse: text,
    refusal,
    acceptance: sentences.default([]),
    silence: sentences.default([]),
    waitMs: z.number(),
  }),
]);
const language = z.looseObject({
  languages: z.array(text),
  reason: text,
  unavailable: z.array(z.looseObject({ language: text, reason: text })),
});
const script = z.looseObject({ language, sentences, consent });
const asked = { line: text, purposes: z.array(text), mustRecord: z.literal(true).optional() };
const request = z.union([
  z.looseObject({ way: z.literal('follow'), ...asked }),
  z.looseObject({ way: z.literal('bridge').default('bridge'), to: text, timeoutSeconds: z.number(), ...asked }),
]);
const order = z.looseObject({
  request,
  menu: z
    .looseObject({
      prompts: sentences,
      options: z.array(z.looseObject({ digit: text, script })),
      waitMs: z.number(),
    })
    .optional(),
  script,
  sampled: z.boolean(),
  keepDays: z.number(),
  maximumSeconds: z.number(),
  records: z.literal('onRequest').optional(),
  agreement: z.looseObject({ purpose: text, keepDays: z.number() }).optional(),
  earlier: z.looseObject({ call: text, finishedAt: z.number() }).optional(),
  bridge: text,
  destination: text,
  recording: text,
  part: z.number().optional(),
  newcomers: z.enum(newcomerRules).optional(),
  turnedAway: z.array(text).optional(),
  sound: z.literal('stereo').optional(),
  isWideband: z.literal(true).optional(),
});
const unplanned = z.looseObject({
  id: text,
  startedAt: z.number(),
  callerChannel: text,
  called: z.looseObject({ noticeChannel: text, dialler: text.optional() }).optional(),
  toldChannel: text.optional(),
  farEnds: z.looseObject({ caller: z.array(text).optional(), destination: z.array(text).optional() }).optional(),
  met: z.array(text).optional(),
  aware: z.array(text).optional(),
  recorded: z
    .looseObject({
      ms: z.number(),
      open: z.looseObject({ part: z.number(), since: z.number() }).optional(),
    })
    .optional(),
  marks: z.array(z.enum(['agreement', 'agreementUntold', 'exemplary'])).optional(),
  policyVersion: text,
  asterisk: z.looseObject({ version: text, node: text }),
  request: request.optional(),
  order: order.optional(),
});
const facts = unplanned.extend({ order });
const waiting = sentences;
const channels = z.array(text).default([]);
const parties = z.array(z.enum(['caller', 'destination'])).default([]);

const form = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('planning'), facts: unplanned }),
  z.looseObject({ kind: z.enum(['checking', 'answering']), facts }),
  z.looseObject({ kind: z.literal('choosing'), facts, current: sentence.optional(), waiting }),
  z.looseObject({
    kind: z.literal('announcing'),
    facts,
    played,
    current: sentence,
    currentStartedAt: time,
    waiting,
    answer,
    prepared: z.boolean(),
  }),
  z.looseObject({ kind: z.literal('confirming'), facts, played, answer, prepared: z.boolean() }),
  z.looseObject({ kind: z.literal('asking'), facts, told }),
  z.looseObject({
    kind: z.literal('accepting'),
    facts,
    told,
    answer,
    current: sentence,
    waiting,
    prepared: z.boolean(),
  }),
  z.looseObject({
    kind: z.literal('acknowledging'),
    facts,
    played,
    answer,
    why: z.enum(['refused', 'no_consent']).default('refused'),
    current: sentence,
    waiting,
  }),
  z.looseObject({
    kind: z.literal('dialling'),
    facts,
    told,
    answer,
    ringing: z.boolean(),
    keysMissed: z.boolean(),
    untold: z.boolean().default(false),
    others: channels,
    holding: parties,
    typed: text,
  }),
  z.looseObject({ kind: z.literal('releasing'), facts, told, answer }),
  z.looseObject({
    kind: z.literal('following'),
    facts,
    told,
    answer,
    recorder,
    untold: z.boolean(),
    typed: text,
    paused,
  }),
  z.looseObject({
    kind: z.literal('talking'),
    facts,
    told,
    answer,
    recorder,
    answeredAt: time,
    telling: channels,
    untold: z.boolean(),
    others: channels,
    holding: parties,
    typed: text,
    paused,
  }),
  z.looseObject({ kind: z.literal('closing'), facts, told, answer, recorder, endedAt: time }),
]);

/** The state of a call that was saved, or undefined where it is not one that this version can go on from. */
export function parseSnapshot(snapshot: string): CallState | undefined {
  const parsed = form.safeParse(jsonIn(snapshot));

  // The schema checks what is relied on; the brands of ids and of `NoticeProof` are the types' alone.
  return parsed.success ? (parsed.data as unknown as CallState) : undefined;
}
