import type { UnrecordedReason } from '../call/decide/unrecordedReasons.ts';
import type { LanguageReason, Party } from '../call/decide/order.ts';
import type { Change } from '../call/watch/timeline.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { isActive } from '../catalogue/retention/legalHolds.ts';
import { isoTime } from '../core/clock.ts';
import { counted } from '../core/text/counted.ts';
import { PreavisError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import { receiptOfCall, type Receipt } from '../receipt/receipt.ts';
import { localClock, localDay, localTime } from './localTime.ts';
import { tableWidth, wrapped } from './table.ts';

/** One call whole, for a person: what happened when, what the caller was told and answered, and what became of the recording. */

/** ms since 1970 UTC, by Asterisk's clock; null where it did not tell. */
type Step = { at: number | null; what: string };

const reasons: Readonly<Record<UnrecordedReason, string>> = {
  arguments_invalid: 'an argument in the dialplan cannot be used',
  planning_failed: 'it was not known in time how to announce the call',
  no_language: 'there is no notice for these purposes in any language of the line',
  prompts_missing: 'a sentence is not on Asterisk in its language',
  spool_unusable: 'the recording folder cannot be read or written',
  spool_full: 'too little was free in the recording folder',
  catalogue_unusable: 'the catalogue could not be written',
  shutting_down: 'Préavis was being stopped',
  answer_failed: "Asterisk did not answer the caller's channel",
  notice_failed: 'a sentence of the notice could not be played',
  notice_cut_short: 'a sentence of the notice ended too soon',
  notice_timeout: 'a sentence of the notice did not end',
  notice_on_hold: 'the caller held while the notice played',
  notice_not_received:
    'the notice did not reach the caller, or nothing showed that it did (no packets to them, or none from them)',
  prepare_failed: "Asterisk did not make the bridge or the destination's channel",
  dial_failed: 'the destination could not be dialled',
  follow_failed: 'Asterisk did not let the caller go on in the dialplan under watch',
  recorder_failed: 'Asterisk did not record',
  called_party_untold: 'somebody outside was dialled who had not been told',
  internal_call: 'both ends are of the house',
  untold_party: 'somebody was there who had not been told',
  interrupted: 'the connection to Asterisk was lost',
  sent_on: 'the dialplan took the caller from Préavis',
  refused: 'the caller refused',
  erase_asked: 'somebody asked to erase what was recorded',
  not_requested: 'nobody asked for it: the line records on request, or it was paused from the beginning',
  no_consent: 'the caller was asked and did not say yes',
  not_sampled: 'only a part of these calls is recorded, and not this one',
  never_recorded: 'one of the two has a number that is never recorded',
};

const languageReasons: Readonly<Record<LanguageReason, string>> = {
  argument: 'the dialplan said so',
  choice: 'the caller chose it by a key',
  preference: 'the caller chose it in an earlier call',
  line: 'it is that of the line',
  channel: "it is that of the caller's channel",
  number: "of the caller's number",
  acceptLanguage: "the caller's telephone asked for it",
  lineDefault: 'nothing else was known: it is the default of the line',
};

const changeWords: Readonly<Record<Change, string>> = {
  held: 'put the other on hold',
  resumed: 'came back from hold',
  joined: 'somebody else came in',
  transferred: 'was replaced by somebody else (a transfer)',
  awareJoined: 'somebody came in who knew of the recording',
  newcomerTold: 'somebody who had come in was told',
  newcomerRefused: 'somebody who had come in refused',
  newcomerUntold: 'somebody who had come in could not be told',
  allTold: 'nobody was there any more who was not told',
  recorderPaused: 'the recorder was paused',
  recorderResumed: 'the recorder went on',
  recordingRemoved: 'Asterisk removed what was recorded',
  unheard: 'could no longer be heard, perhaps',
  heardAgain: 'could be heard again',
  pauseBegan: 'wanted a pause: from here on nothing is recorded',
  pauseEnded: 'wanted the pause to end: it was recorded again',
  pauseExpired: 'the time of the pause was over: it was recorded again',
  recordAsked: 'wanted it to be recorded from here on',
  eraseAsked: 'wanted what was recorded to be erased, and nothing more to be recorded',
  agreementMarked: 'marked that an agreement was made',
  agreementUntold: 'marked an agreement, for nothing: its purpose was not told',
  exemplaryMarked: 'marked the call as exemplary',
  neverRecorded: 'somebody came in whose number is never recorded',
  turnedAway: 'was turned away, since the call must be recorded',
};

/** What a party asks for by a code, and a program or an operator without one. */
const asked: readonly Change[] = [
  'pauseBegan',
  'pauseEnded',
  'recordAsked',
  'eraseAsked',
  'agreementMarked',
  'agreementUntold',
  'exemplaryMarked',
];

/** These say themselves who it was: somebody on the side of the party. */
const ofOthers: readonly Change[] = ['joined', 'awareJoined'];

/** Who did it, where that is known. */
function subjectOf(change: Change, party: Party | null): string {
  if (ofOthers.includes(change)) return '';
  if (party !== null) return `the ${party} `;

  return asked.includes(change) ? 'a program or an operator ' : '';
}

const unwatchedWords: Readonly<Record<Receipt['unwatched'][number]['why'], string>> = {
  connection_lost: 'the connection to Asterisk was lost',
  application_taken: 'another client had the application',
  process_ended: 'the serve before had ended, stood still or given the call back',
  events_late: 'serve stood still',
};

const judgedWords = {
  witnessed: 'the sound was kept, since only parties who were told were there',
  blanked: 'the sound was made silent',
  outside: 'nothing of it was recorded',
} as const;

const known = <Words extends string>(words: Readonly<Record<Words, string>>, name: string): string | undefined =>
  new Map<string, string>(Object.entries(words)).get(name);

const timeOf = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));

/** Who is to be told in a call, for a sentence. */
const whoIsTold = ({ direction }: Pick<Receipt['call'], 'direction'>): string =>
  direction === 'outgoing' ? 'the called party' : 'the caller';

/** Words about a caller who was to be told, as they are true of this call. */
const saidOf = (call: Receipt['call'], words: string): string => words.replaceAll('the caller', whoIsTold(call));

function ofSentences({ call, notice, otherSentences }: Receipt): Step[] {
  return [
    ...notice.map(({ startedAt, language, text, verified, verdict }) => {
      const heard = verified ? 'heard whole' : saidOf(call, known(reasons, verdict) ?? verdict);

      return { at: timeOf(startedAt), what: `notice in ${language}, ${heard}: “${text}”` };
    }),
    ...otherSentences.map(({ startedAt, finishedAt, language, text, newcomer }) => ({
      at: timeOf(startedAt),
      what: `said${newcomer === null ? '' : ` to newcomer ${newcomer}`} in ${language}${finishedAt === null ? ', not to its end' : ''}: “${text}”`,
    })),
  ];
}

function ofAnswer({ call, consent }: Receipt): Step[] {
  if (consent.answer === 'none') return [];
  const by = consent.digits === null ? '' : `, by ${consent.digits}`;

  return [
    {
      at: timeOf(consent.at),
      what: `${whoIsTold(call)} ${consent.answer === 'accepted' ? 'said yes' : 'refused'}${by}`,
    },
  ];
}

function ofRecorder({ recording }: Receipt): Step[] {
  if (recording === null) return [];
  const { startedAt, finishedAt, gapMs, flags } = recording;
  const isLimited = flags.includes('unwatched_too_long');
  const why = isLimited ? ', since nobody had watched for too long' : '';
  const gap = gapMs === null ? '' : `, ${gapMs} ms after the end of the notice`;

  return [
    ...(startedAt === null ? [] : [{ at: timeOf(startedAt), what: `the recorder began${gap}` }]),
    ...(finishedAt === null && !isLimited ? [] : [{ at: timeOf(finishedAt), what: `the recorder ended${why}` }]),
  ];
}

function beginning({ line, direction }: Receipt['call']): string {
  const on = line === null ? '' : ` on ${line}`;

  return direction === 'outgoing' ? `the called party answered${on}` : `the call came in${on}`;
}

/** In the order of time; what Asterisk told no time of comes last. */
function steps(receipt: Receipt): Step[] {
  const { call, changes, unwatched } = receipt;
  const list: Step[] = [
    { at: timeOf(call.startedAt), what: beginning(call) },
    ...ofSentences(receipt),
    ...ofAnswer(receipt),
    ...ofRecorder(receipt),
    ...changes.map(({ at, change, party, newcomer }) => ({
      at: timeOf(at),
      what: `${subjectOf(change, party)}${changeWords[change]}${newcomer === null ? '' : ` (newcomer ${newcomer})`}`,
    })),
    ...unwatched.map((interval) => {
      const { from, why, judged } = interval;
      const became = judged === null ? 'not judged yet' : judgedWords[judged];

      return {
        at: timeOf(from),
        what: `nobody watched${untilInWords(interval, receipt)}, since ${unwatchedWords[why]}: ${became}`,
      };
    }),
    ...(call.endedAt === null ? [] : [{ at: timeOf(call.endedAt), what: 'the call ended' }]),
  ];

  return list.toSorted((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity));
}

/** Where no end is known, nothing behind it is known to be clean. Who read late that somebody had joined was there again. */
function untilInWords({ to, why, judged }: Receipt['unwatched'][number], { call, recording }: Receipt): string {
  if (to !== null) return ` until ${localClock(Date.parse(to))}`;
  const isOver = call.result !== null && recording !== null;

  return isOver && why !== 'events_late' && judged !== 'outside' ? ', perhaps until the end of the recording' : '';
}

function resultInWords({ call }: Receipt, dialStatus: string | null): string {
  switch (call.result) {
    case null:
      return 'going on';
    case 'unrecorded':
      return `not recorded: ${saidOf(call, known(reasons, call.reason ?? '') ?? 'the reason is not known')} (${call.reason ?? '-'})`;
    case 'notConnected':
      return `not connected: ${dialStatus ?? '-'}`;
    case 'abandoned':
      return call.direction === 'outgoing'
        ? 'one of the two left before they were connected'
        : 'the caller left before they were connected';
    default:
      return call.result;
  }
}

function consentInWords({ call, consent }: Receipt): string {
  const why = consent.reason === 'callerCountry' ? saidOf(call, ", as the law of the caller's country wants it") : '';
  switch (consent.mode) {
    case null:
      return 'it was not decided what to ask';
    case 'announce':
      return 'announced, nothing was asked';
    case 'optOut':
      return consent.answer === 'refused' ? 'could refuse, and did' : `could refuse by a key; none was heard${why}`;
    case 'optIn':
      return `${{ accepted: 'asked, and said yes', refused: 'asked, and said no', none: 'asked, and said nothing' }[consent.answer]}${why}`;
  }
}

const witnessWords = {
  agrees: "Asterisk's log (CEL) says the same of the notice",
  disagrees: "Asterisk's log (CEL) says something else of the notice",
  missing: "Asterisk's log (CEL) has nothing of the notice",
  unavailable: 'there is none for this call',
} as const;

function toldInWords({ call, told }: Receipt): string {
  if (told === null) return 'nobody, or not whole';

  return `${whoIsTold(call)}, ${told.how === 'onAnswer' ? 'when they had answered' : 'before anybody was called'}`;
}

type Fact = readonly [name: string, words: string];

function earlierInWords({ call, finishedAt }: NonNullable<Receipt['earlierNotice']>): Fact {
  const when = finishedAt === null ? '' : `, ${localTime(Date.parse(finishedAt))}`;

  return ['', `a shorter notice: they heard the whole one in call ${call}${when}`];
}

function callFacts(
  receipt: Receipt,
  {
    dialStatus,
    dialled,
    application,
  }: { dialStatus: string | null; dialled: string | null; application: string | null },
): Fact[] {
  const { call, language, purposes, witness } = receipt;
  const because =
    language.reason === null
      ? ''
      : `, because ${saidOf(call, known(languageReasons, language.reason) ?? language.reason)}`;

  return [
    [call.direction === 'outgoing' ? 'answered' : 'came in', localTime(Date.parse(call.startedAt))],
    ['line', call.line ?? '-'],
    ...(dialled === null ? [] : [['dialled', dialled] as const]),
    ['told', toldInWords(receipt)],
    ...(receipt.earlierNotice === undefined ? [] : [earlierInWords(receipt.earlierNotice)]),
    ['purposes', purposes.map(({ id, keepDays }) => `${id} (kept ${counted(keepDays, 'day')})`).join(', ') || '-'],
    ['language', language.decided.length === 0 ? '-' : `${language.decided.join(' and ')}${because}`],
    ...language.unavailable.map((each): Fact => [
      '',
      `${each.language} was wanted more, but has no prompts (${each.reason})`,
    ]),
    ['consent', consentInWords(receipt)],
    ['result', resultInWords(receipt, dialStatus)],
    ['witness', witness === null ? 'not asked yet' : witnessWords[witness.status]],
    ['Asterisk', `${receipt.asterisk.version} on ${receipt.asterisk.node}`],
    ...(receipt.asterisk.pbx === undefined ? [] : [['PBX', receipt.asterisk.pbx] as const]),
    ...(application === null ? [] : [['application', application] as const]),
  ];
}

type Kept = { holdsUntil: number[]; certificates: { number: number; sha256: string }[]; failure: string | null };

function recordingFacts(receipt: Receipt, { holdsUntil, certificates, failure }: Kept): Fact[] {
  const { recording, purposes } = receipt;
  if (recording === null) return [];
  const { status, durationMs, bytes, sha256, flags, encryption } = recording;
  const ends = purposes.flatMap(({ id, keepUntil }): Fact[] =>
    keepUntil === null ? [] : [['kept', `for ${id} until ${localTime(Date.parse(keepUntil))}`]],
  );

  return [
    ['status', failure === null ? status : `${status} (${failure})`],
    ['length', durationMs === null ? '-' : `${(durationMs / 1_000).toFixed(1)} s`],
    ['file', bytes === null ? '-' : counted(bytes, 'byte')],
    ['SHA-256', sha256 ?? '-'],
    ...(flags.length === 0 ? [] : [['flags', flags.join(', ')] as const]),
    ...(encryption === null
      ? []
      : [
          ['encrypted', encryption.mode === 'client' ? `by Préavis, key ${encryption.keyId}` : 'by the store'] as const,
        ]),
    ...ends,
    ...holdsUntil.map((until): Fact => ['held', `until ${localTime(until)}`]),
    ...certificates.map(({ number, sha256: hash }): Fact => ['erased', `certificate ${number} (SHA-256 ${hash})`]),
  ];
}

/** Each name before its words, which go on below themselves. */
function listed(facts: readonly Fact[]): string[] {
  const width = Math.max(0, ...facts.map(([name]) => name.length));

  return facts.flatMap(([name, words]) =>
    wrapped(words, tableWidth - width - 4).map(
      (line, index) => `  ${(index === 0 ? name : '').padEnd(width)}  ${line}`,
    ),
  );
}

type CallSources = Parameters<typeof receiptOfCall>[0] &
  CataloguePart<{ legalHolds: 'of'; certificates: 'of'; dialled: 'of' }>;

/** One call as text for people, or as one JSON document with the receipt and the same steps. Throws call_unknown. */
export async function showCall(catalogue: CallSources, id: CallId, now: number, json: boolean): Promise<string> {
  const receipt = await receiptOfCall(catalogue, id);
  const call = await catalogue.calls.find(id);
  if (call === undefined) throw new PreavisError('call_unknown', 'there is no call with this id');
  const dialled = (await catalogue.dialled.of(id)) ?? null;
  const row = await catalogue.recordings.ofCall(id);
  const holds = row === undefined ? [] : (await catalogue.legalHolds.of(row.id)).filter((hold) => isActive(hold, now));
  const certificates = row === undefined ? [] : await catalogue.certificates.of(row.id);
  const kept: Kept = {
    holdsUntil: holds.map(({ expiresAt }) => expiresAt),
    certificates: certificates.map(({ number, sha256 }) => ({ number, sha256 })),
    failure: row?.failure ?? null,
  };
  const happened = steps(receipt);
  if (json) {
    const list = happened.map(({ at, what }) => ({ at: isoTime(at), what }));
    const holdsUntil = kept.holdsUntil.map(isoTime);

    return JSON.stringify(
      {
        receipt,
        dialled,
        application: call.application,
        happened: list,
        failure: kept.failure,
        holdsUntil,
        certificates: kept.certificates,
      },
      undefined,
      2,
    );
  }
  const { recording } = receipt;
  const day = localDay(call.startedAt);
  const clock = (at: number | null): string =>
    at === null ? 'no time told' : localDay(at) === day ? localClock(at) : localTime(at);

  return [
    `Call ${id}`,
    ...listed(callFacts(receipt, { ...call, dialled })),
    '',
    `What happened (${day})`,
    ...listed(happened.map(({ at, what }): Fact => [clock(at), what])),
    '',
    ...(recording === null
      ? ['No recording']
      : [`Recording ${recording.id}`, ...listed(recordingFacts(receipt, kept))]),
  ].join('\n');
}
