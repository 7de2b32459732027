import * as z from 'zod';
import { whyDiscarded } from '../../call/decide/discardReason.ts';
import type { Played } from '../../call/decide/verification.ts';
import type { Measured, UnreadableCall } from '../../call/session/journal.ts';
import type { CallState, Facts } from '../../call/decide/state.ts';
import type { CallId } from '../../core/ids.ts';

import {
  callRow,
  noticeRow,
  openCallRow,
  storedPolicy,
  type CallRow,
  type NoticeRow,
  type StoredPolicy,
} from '../rows.ts';
import { saveHeard } from './heardEnd.ts';
import { answerOf, recorderOf } from './partsOfState.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { parseSnapshot } from '../snapshot.ts';
import { isCallHere, pbxGiven, type Here } from '../here.ts';
import { all, change, one, relaxed, sql, value, values, writing, type Step } from '../sql/step.ts';

/** The sentences that have been played so far. */
function playedOf(state: CallState): readonly Played[] {
  switch (state.kind) {
    case 'planning':
    case 'checking':
    case 'answering':
    case 'choosing':
      return [];
    case 'announcing':
    case 'confirming':
    case 'acknowledging':
    case 'ended':
      return state.played;
    case 'asking':
    case 'accepting':
    case 'dialling':
    case 'releasing':
    case 'following':
    case 'talking':
    case 'closing':
      return state.told.sentences;
  }
}

/**
 * A state before there is anything to lose. It survives a killed process like any other; only its waiting for the disk,
 * which a caller would hear and which is against a power cut alone, is left to the next save. Before a recording's
 * first row, that one writes both through.
 */
function isFollowedSoon(state: CallState): boolean {
  const { kind } = state;
  if (kind === 'following') return state.recorder.kind === 'none';

  return kind === 'planning' || kind === 'dialling' || kind === 'releasing';
}

/** Where a call stands: what every step changes. */
type Standing = ReturnType<typeof standingOf>;

function standingOf(state: CallState) {
  const answer = answerOf(state);

  return {
    id: state.facts.id,
    phase: state.kind,
    // An ended call needs no adopting, and its state holds a dial string.
    state: state.kind === 'ended' ? null : JSON.stringify(state),
    answer: answer.kind,
    answerDigits: answer.kind === 'none' ? null : answer.digits,
    answerAt: answer.kind === 'none' ? null : answer.at,
  };
}

/** What calls can come to; `turnedAway` is a part of `unrecorded`, and `goingOn` for one that has not ended. */
export const callResults = ['recorded', 'unrecorded', 'turnedAway', 'notConnected', 'abandoned', 'goingOn'] as const;
export type CallResult = (typeof callResults)[number];

/** Which calls: all where nothing is said. */
export type CallFilter = {
  /** Begun in this time, ms since 1970 UTC, the second excluded. */
  begun?: { from: number; to: number } | undefined;
  line?: string | undefined;
  /** Of `controllers`; null: those of the company itself. */
  controller?: string | null | undefined;
  purpose?: string | undefined;
  /** The number of the company that the caller dialled, in the form that it is kept in. */
  dialled?: string | undefined;
  /** As the operator named the Asterisk that took the call. */
  pbx?: string | undefined;
  result?: CallResult | undefined;
};

/** The ids of purposes have no quotation mark, so this finds none within another. */
const hasPurpose = `instr(calls.purposes, '"' || @purpose || '"') > 0`;

/** Which calls that had not ended: of all applications where none is named; `orNone`: and those of none, from before they were written down. */
export type OpenCalls = { application?: string | undefined; orNone?: boolean };

const isTurnedAway = `EXISTS (SELECT 1 FROM changes WHERE call_id = calls.id AND change = 'turnedAway')`;
const hasResult = `CASE WHEN @result = 'turnedAway' THEN result = 'unrecorded' AND ${isTurnedAway}
  ELSE coalesce(result, 'goingOn') = @result END`;

/** The tables `calls` and `notices`, and the birth of a row in `recordings`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeCalls(here: Here, trail: Pick<AuditTrail, 'appendStep'>) {
  const upsertCall = sql(`
    INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, line, purposes, languages,
      language_reason, languages_unavailable, consent_mode, consent_reason, consent_purposes, answer, answer_digits,
      answer_at, phase, recording_id, keep_days, state, caller_channel, direction, controller, earlier_call,
      earlier_told_at, pbx, application)
    VALUES (@id, @startedAt, @policyVersion, @asteriskVersion, @asteriskNode, @line, @purposes, @languages, @languageReason,
      @languagesUnavailable, @consentMode, @consentReason, @consentPurposes, @answer, @answerDigits, @answerAt, @phase,
      @recordingId, @keepDays, @state, @callerChannel, @direction, @controller, @earlierCall, @earlierToldAt, @pbx,
      @application)
    ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, recording_id = excluded.recording_id,
      keep_days = excluded.keep_days, state = excluded.state, caller_channel = excluded.caller_channel, line = excluded.line,
      controller = excluded.controller,
      purposes = excluded.purposes, languages = excluded.languages, language_reason = excluded.language_reason,
      languages_unavailable = excluded.languages_unavailable, consent_mode = excluded.consent_mode,
      consent_reason = excluded.consent_reason, consent_purposes = excluded.consent_purposes,
      answer = excluded.answer, answer_digits = excluded.answer_digits, answer_at = excluded.answer_at,
      earlier_call = excluded.earlier_call, earlier_told_at = excluded.earlier_told_at`);
  const updateCall = sql(`
    UPDATE calls SET phase = @phase, state = @state, answer = @answer, answer_digits = @answerDigits, answer_at = @answerAt
    WHERE id = @id`);
  const endCall = sql(`
    UPDATE calls SET ended_at = @endedAt, result = @result, reason = @reason, dial_status = @dialStatus WHERE id = @id`);
  const upsertNotice = sql(`
    INSERT INTO notices (call_id, position, prompt, language, text, sha256, length_ms, started_at, finished_at, verdict)
    VALUES (@callId, @position, @prompt, @language, @text, @sha256, @lengthMs, @startedAt, @finishedAt, @verdict)
    ON CONFLICT (call_id, position) DO UPDATE SET prompt = excluded.prompt, language = excluded.language,
      text = excluded.text, sha256 = excluded.sha256, length_ms = excluded.length_ms, started_at = excluded.started_at,
      finished_at = excluded.finished_at, verdict = excluded.verdict,
      witness = NULL, witness_began_at = NULL, witness_ended_at = NULL`);
  const insertRecording = sql(`
    INSERT INTO recordings (id, call_id, status, notice_finished_at, keep_days, controller)
    SELECT @id, @callId, 'recording', @noticeFinishedAt, @keepDays, calls.controller FROM calls WHERE calls.id = @callId
    ON CONFLICT (id) DO NOTHING`);
  const timeRecording = sql(`
    UPDATE recordings SET started_at = @startedAt, finished_at = @finishedAt WHERE id = @id AND status = 'recording'`);
  const discard = sql(
    `UPDATE recordings SET status = 'discarded', failure = @failure WHERE id = @id AND status = 'recording'`,
  );
  const selectOpen = sql(`
    SELECT id, recording_id, state FROM calls WHERE state IS NOT NULL AND (@isAnywhere = 1 OR ${isCallHere(here)})
      AND (@application IS NULL OR application = @application OR (@orNone = 1 AND application IS NULL))
    ORDER BY id`);
  // What a PBX without a name has left unfinished; each part by an index of few rows.
  const nameUnnamed = sql(`
    UPDATE calls SET pbx = @pbx WHERE pbx IS NULL AND id IN (
      SELECT id FROM calls WHERE state IS NOT NULL
      UNION SELECT id FROM calls WHERE state IS NULL AND witness IS NULL
      UNION SELECT call_id FROM recordings WHERE status IN ('recording', 'recorded', 'failed', 'lost'))`);
  const selectOfOthers = sql(`
    SELECT id, recording_id, state FROM calls WHERE state IS NOT NULL AND ${isCallHere(here)} AND application <> @application
    ORDER BY id`);
  const selectApplications = sql(`
    SELECT DISTINCT application FROM calls WHERE state IS NOT NULL AND ${isCallHere(here)}
    ORDER BY application NULLS FIRST`);
  const adopt = sql(`
    UPDATE calls SET application = @application
    WHERE state IS NOT NULL AND ${isCallHere(here)} AND coalesce(application, '') = @of`);
  const endOne = sql(`
    UPDATE calls SET state = NULL, phase = 'ended',
      result = CASE WHEN EXISTS (SELECT 1 FROM recordings WHERE call_id = calls.id) THEN 'recorded' ELSE 'unrecorded' END,
      reason = CASE WHEN EXISTS (SELECT 1 FROM recordings WHERE call_id = calls.id) THEN NULL ELSE 'interrupted' END
    WHERE id = @id AND state IS NOT NULL`);
  const selectCall = sql(`SELECT * FROM calls WHERE id = @id`);
  const selectController = sql(`SELECT controller FROM calls WHERE id = @id`);
  const selectCalls = sql(`SELECT * FROM calls ORDER BY id DESC LIMIT @limit`);
  const chosen = `(@line IS NULL OR line = @line) AND (@anyController = 1 OR controller IS NOT DISTINCT FROM @controller) AND (@purpose IS NULL OR ${hasPurpose})
    AND (@result IS NULL OR ${hasResult})`;
  // By an index that has all that is asked: a line without calls would have every row read.
  const selectChosen = sql(`
    SELECT * FROM calls WHERE id IN (
      SELECT id FROM calls INDEXED BY calls_listed WHERE ${chosen} ORDER BY id DESC LIMIT @limit)
    ORDER BY id DESC`);
  const hasPbx = `(@pbx IS NULL OR pbx = @pbx)`;
  const selectBegun = sql(`
    SELECT * FROM calls INDEXED BY calls_by_start WHERE started_at >= @from AND started_at < @to AND ${hasPbx} AND ${chosen}
    ORDER BY id DESC LIMIT @limit`);
  // In the order of its index, whatever else is asked: nothing is sorted.
  const selectDialled = sql(`
    SELECT calls.* FROM dialled INDEXED BY dialled_by_number CROSS JOIN calls ON calls.id = dialled.call_id
    WHERE number = @dialled AND (@from IS NULL OR started_at >= @from) AND (@to IS NULL OR started_at < @to) AND ${hasPbx}
      AND ${chosen}
    ORDER BY dialled.call_id DESC LIMIT @limit`);
  const selectOfPbx = sql(`
    SELECT * FROM calls INDEXED BY calls_by_pbx WHERE pbx = @pbx AND ${chosen} ORDER BY id DESC LIMIT @limit`);
  const selectPbx = sql(`SELECT EXISTS (SELECT 1 FROM calls INDEXED BY calls_by_pbx WHERE pbx = @pbx)`);
  const selectLine = sql(`SELECT EXISTS (SELECT 1 FROM calls INDEXED BY calls_listed WHERE line = @line)`);
  const selectPurpose = sql(`SELECT EXISTS (SELECT 1 FROM calls INDEXED BY calls_listed WHERE ${hasPurpose})`);
  const selectNotices = sql(`SELECT * FROM notices WHERE call_id = @id ORDER BY position`);
  const upsertPolicy = sql(
    `INSERT INTO policies (version, content) VALUES (@version, @content) ON CONFLICT DO NOTHING`,
  );
  /** A version is never changed, and there are few. */
  const policies = new Map<string, StoredPolicy>();
  const selectPolicy = sql(`SELECT content FROM policies WHERE version = @version`);
  function* policy(version: string): Step<StoredPolicy | undefined> {
    const known = policies.get(version);
    if (known !== undefined) return known;
    const content = z
      .string()
      .optional()
      .parse(yield* value(selectPolicy, { version }));
    if (content === undefined) return undefined;
    const read = storedPolicy.parse(JSON.parse(content));
    policies.set(version, read);

    return read;
  }

  function* saveRecording(state: CallState, played: readonly Played[]): Step<void> {
    const { facts } = state;
    const recorder = recorderOf(state);
    const noticeFinishedAt = played.at(-1)?.finishedAt;
    const { order } = facts;
    if (recorder.kind !== 'running' && recorder.kind !== 'finished' && recorder.kind !== 'discarded') return;
    if (order === undefined || noticeFinishedAt === undefined) return;
    const id = order.recording;
    const inserted = yield* change(insertRecording, {
      id,
      callId: facts.id,
      noticeFinishedAt,
      keepDays: order.keepDays,
    });
    // Who refuses before the recorder told of itself, or after it failed, has a row for the sake of the audit trail alone.
    const unseen = recorder.kind === 'discarded' && recorder.startedAt === undefined;
    const event = unseen ? 'recorder not seen' : 'recorder started';
    if (inserted === 1) {
      yield* trail.appendStep(id, null, 'recording', { event, actor: 'serve' });
    }
    yield* change(timeRecording, {
      id,
      startedAt: recorder.startedAt ?? null,
      finishedAt: recorder.kind === 'finished' ? (recorder.finishedAt ?? null) : null,
    });
    if (recorder.kind !== 'discarded') return;
    const failure = recorder.erasedBy === undefined ? 'refused' : 'erase_asked';
    if ((yield* change(discard, { id, failure })) === 1) {
      yield* trail.appendStep(id, 'recording', 'discarded', { event: whyDiscarded[failure], actor: 'serve' });
    }
  }

  const setTalk = sql(
    `UPDATE recordings SET caller_talk_ms = @callerMs, destination_talk_ms = @destinationMs WHERE id = @id AND status = 'recording'`,
  );

  /** Lists that are in the catalogue as they are: from the end of the notice on, a call has the same one. */
  const savedNotices = new WeakSet<readonly Played[]>();
  /** What the catalogue has of each call under way, beside where it stands; most steps leave it as it is. */
  const savedFacts = new Map<CallId, Facts>();
  function* saveFacts(facts: Facts, standing: Standing, application: string | undefined): Step<void> {
    const { order } = facts;
    // The order has the purposes that the lot left.
    const request = order?.request ?? facts.request;
    const controllerOfLine = (yield* policy(facts.policyVersion))?.controllerOfLine ?? {};
    yield* change(upsertCall, {
      ...standing,
      startedAt: facts.startedAt,
      policyVersion: facts.policyVersion,
      asteriskVersion: facts.asterisk.version,
      asteriskNode: facts.asterisk.node,
      pbx: facts.asterisk.pbx ?? null,
      application: application ?? null,
      line: request?.line ?? null,
      purposes: JSON.stringify(request?.purposes ?? []),
      languages: JSON.stringify(order?.script.language.languages ?? []),
      languageReason: order?.script.language.reason ?? null,
      languagesUnavailable: JSON.stringify(order?.script.language.unavailable ?? []),
      consentMode: order?.script.consent.mode ?? 'announce',
      consentReason: order?.asked?.reason ?? null,
      consentPurposes: JSON.stringify(order?.asked?.purposes ?? []),
      earlierCall: order?.earlier?.call ?? null,
      earlierToldAt: order?.earlier?.finishedAt ?? null,
      recordingId: order?.recording ?? null,
      keepDays: order?.keepDays ?? null,
      // Until it was compared with the second witness, which knows who was told by their channel.
      callerChannel: facts.called?.noticeChannel ?? facts.toldChannel ?? facts.callerChannel,
      direction: facts.called === undefined ? 'incoming' : 'outgoing',
      controller: request === undefined ? null : (controllerOfLine[request.line] ?? null),
    });
  }

  function* saveAll(state: CallState, { talk, heard }: Measured, application?: string): Step<void> {
    const { facts } = state;
    const { order } = facts;
    const ended = state.kind === 'ended';
    if (savedFacts.get(facts.id) === facts) yield* change(updateCall, standingOf(state));
    else yield* saveFacts(facts, standingOf(state), application);
    const played = playedOf(state);
    const fresh = savedNotices.has(played) ? [] : played;
    for (const [position, { sentence, startedAt, finishedAt, verdict }] of fresh.entries()) {
      const { id: prompt, language, text, sha256, lengthMs } = sentence.prompt;
      yield* change(upsertNotice, {
        callId: facts.id,
        position,
        prompt,
        language,
        text,
        sha256,
        lengthMs,
        startedAt: startedAt ?? null,
        finishedAt: finishedAt ?? null,
        verdict,
      });
    }
    yield* saveRecording(state, played);
    if (talk !== undefined && order !== undefined)
      yield* change(setTalk, { callerMs: talk.callerMs, destinationMs: talk.destinationMs, id: order.recording });
    if (heard !== undefined && order !== undefined) yield* saveHeard(order.recording, heard);
    if (ended) {
      const { outcome } = state;
      yield* change(endCall, {
        id: facts.id,
        endedAt: state.endedAt ?? null,
        result: outcome.result,
        reason: outcome.result === 'unrecorded' ? outcome.reason : null,
        dialStatus: outcome.result === 'notConnected' ? (outcome.dialStatus ?? null) : null,
      });
    }
  }
  // Its recording has no row before the call has made one.
  const savedOne = ({ facts }: CallState): string => facts.order?.recording ?? facts.id;
  const saveNow = writing(saveAll, savedOne);
  const saveFollowedSoon = relaxed(saveAll, savedOne);

  /** @param application of the serve that has the call */
  function* save(state: CallState, measured: Measured = {}, application?: string): Step<void> {
    yield* (isFollowedSoon(state) ? saveFollowedSoon : saveNow)(state, measured, application);
    // Only once it is committed: what was taken back is to be written again.
    savedNotices.add(playedOf(state));
    if (state.kind === 'ended') savedFacts.delete(state.facts.id);
    else savedFacts.set(state.facts.id, state.facts);
  }

  function* openOf(
    isAnywhere: 0 | 1,
    { application, orNone = false }: OpenCalls = {},
  ): Step<(CallState | UnreadableCall)[]> {
    const of = { application: application ?? null, orNone: orNone ? 1 : 0 };

    return read(yield* all(selectOpen, { isAnywhere, ...of, ...pbxGiven(here) }));
  }

  function read(rows: unknown): (CallState | UnreadableCall)[] {
    return z
      .array(openCallRow)
      .parse(rows)
      .map(
        ({ id, recording, state }) =>
          parseSnapshot(state) ?? { kind: 'unreadable', id, recording: recording ?? undefined },
      );
  }

  function* endUnreadable(id: CallId): Step<void> {
    yield* change(endOne, { id });
  }

  /** Of this PBX, which other applications have. */
  function* openOfOthers(application: string): Step<(CallState | UnreadableCall)[]> {
    return read(yield* all(selectOfOthers, { application, ...pbxGiven(here) }));
  }

  /** Of which applications this PBX has open calls; null: of none, from before they were written down. */
  function* openApplications(): Step<(string | null)[]> {
    return z.array(z.string().nullable()).parse(yield* values(selectApplications, pbxGiven(here)));
  }

  /** From now on the open calls that this PBX has of an application, or of none, are of another one. */
  function* adoptOpen(of: string | null, application: string): Step<void> {
    yield* change(adopt, { of: of ?? '', application, ...pbxGiven(here) });
  }

  return {
    save,
    openApplications,
    adoptOpen,
    /** Of this PBX. */
    open: (of: OpenCalls = {}) => openOf(0, of),
    openOfOthers,
    /** Of all PBXs. */
    openAnywhere: () => openOf(1),
    endUnreadable,
    *find(id: CallId): Step<CallRow | undefined> {
      return callRow.optional().parse(yield* one(selectCall, { id }));
    },
    /** Whose call it is, of `controllers` or null, also where the rest of its row cannot be read; undefined where there is no such call. */
    *controllerOf(id: CallId): Step<string | null | undefined> {
      return z
        .string()
        .nullish()
        .parse(yield* value(selectController, { id }));
    },
    /** The newest of them. */
    *list(limit: number, { begun, line, controller, purpose, dialled, pbx, result }: CallFilter = {}): Step<CallRow[]> {
      const isChosen = [line, controller, purpose, result].some((each) => each !== undefined);
      const given = {
        line: line ?? null,
        anyController: controller === undefined ? 1 : 0,
        controller: controller ?? null,
        purpose: purpose ?? null,
        result: result ?? null,
        pbx: pbx ?? null,
        limit,
      };
      if (dialled !== undefined) {
        const { from = null, to = null } = begun ?? {};

        return z.array(callRow).parse(yield* all(selectDialled, { ...given, dialled, from, to }));
      }
      if (begun !== undefined) return z.array(callRow).parse(yield* all(selectBegun, { ...given, ...begun }));
      if (pbx !== undefined) return z.array(callRow).parse(yield* all(selectOfPbx, given));

      return z.array(callRow).parse(yield* isChosen ? all(selectChosen, given) : all(selectCalls, { limit }));
    },
    /** Gives what a PBX without a name has left unfinished to this one, which has got its name since; how many calls. */
    *nameUnnamed(): Step<number> {
      return here.pbx === undefined ? 0 : yield* change(nameUnnamed, pbxGiven(here));
    },
    /** Whether a call came to the Asterisk of this name. */
    *knowsPbx(pbx: string): Step<boolean> {
      return (yield* value(selectPbx, { pbx })) === 1;
    },
    /** Whether a call came in on this line. */
    *knowsLine(line: string): Step<boolean> {
      return (yield* value(selectLine, { line })) === 1;
    },
    /** Whether a call had this purpose. */
    *knowsPurpose(purpose: string): Step<boolean> {
      return (yield* value(selectPurpose, { purpose })) === 1;
    },
    *notices(id: CallId): Step<NoticeRow[]> {
      return z.array(noticeRow).parse(yield* all(selectNotices, { id }));
    },
    *savePolicy(version: string, content: string): Step<void> {
      yield* change(upsertPolicy, { version, content });
    },
    policy,
  };
}
