import type { KeepingReason, PersonFound } from '../api/types.ts';
import { counted, fill } from '../text/fill.ts';
import { articleText } from '../text/law.ts';
import { useSpeech, type Speech } from '../text/say.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { problemText } from '../ui/notes.tsx';
import { Problem } from '../api/problem.ts';
import { isNothing } from './request.ts';

/** What is kept of a person, and what becomes of it, recording by recording. */

type Found = Pick<
  PersonFound,
  'recordings' | 'unrecordedCalls' | 'openCalls' | 'unreadableCalls' | 'languageRemembered' | 'keysNotSearched'
>;
type Listed = Found['recordings'][number];
type Outcome = Listed['outcome'];

/** Why a recording stays, by which article, and until when. */
function whyText(reason: KeepingReason, { say, format, purposeName }: Speech): string {
  const key = reason.ground === 'hold' ? (reason.hold ?? 'dispute') : reason.ground;
  const why = fill(say.persons.why[key], {
    purpose: purposeName(reason.purpose ?? ''),
    article: articleText(reason.article ?? '', say),
  });

  if (reason.until === undefined) return why;
  // The last day of a hold was named; the end of a lock is a time.
  const dayIn = reason.ground === 'hold' ? format.namedDay : format.day;

  return fill(say.persons.whyUntil, { why, day: dayIn(reason.until) });
}

const looks: Readonly<Record<Outcome['kind'], { icon: IconName; tag: string }>> = {
  erase: { icon: 'none', tag: 'tag tag-now' },
  erased: { icon: 'check', tag: 'tag tag-good' },
  kept: { icon: 'hold', tag: 'tag' },
  failed: { icon: 'warning', tag: 'tag tag-fault' },
  unfinished: { icon: 'pause', tag: 'tag' },
  lost: { icon: 'warning', tag: 'tag tag-fault' },
  gone: { icon: 'none', tag: 'tag' },
};

function Reasons({ outcome }: { outcome: Outcome }) {
  const speech = useSpeech();
  const { say, purposeName } = speech;
  const lines = [
    ...(outcome.exceptions ?? []).map((each) => whyText(each, speech)),
    ...(outcome.ended === undefined || outcome.ended.length === 0
      ? []
      : [fill(say.persons.ending, { purposes: outcome.ended.map(purposeName).join(', ') })]),
    ...(outcome.certificate === undefined ? [] : [fill(say.call.certificate, { number: outcome.certificate })]),
    ...(outcome.code === undefined ? [] : [problemText(new Problem({ code: outcome.code, status: 0 }), say)]),
  ];

  return lines.length === 0 ? null : (
    <ul class="quiet">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Item({ recording: { startedAt, purposes, outcome } }: { recording: Listed }) {
  const { say, format, purposeName } = useSpeech();
  const { icon, tag } = looks[outcome.kind];

  return (
    <li>
      <p>
        <strong>{startedAt === null ? '–' : format.dayAndTime(startedAt)}</strong>{' '}
        <span class="quiet">{purposes.map(purposeName).join(', ')}</span>
      </p>
      <span class={tag}>
        <Icon name={icon} />
        {say.persons.outcomes[outcome.kind]}
      </span>
      <Reasons outcome={outcome} />
    </li>
  );
}

/** What else there is, beside the recordings. */
function besides(found: Found, { language, say }: Speech): string[] {
  const { unrecordedCalls, openCalls, unreadableCalls, languageRemembered, keysNotSearched } = found;
  const words = say.persons;

  return [
    ...(unrecordedCalls === 0 ? [] : [`${counted(language, words.unrecorded, unrecordedCalls)}.`]),
    ...(openCalls.length === 0 ? [] : [counted(language, words.open, openCalls.length)]),
    ...(unreadableCalls.length === 0 ? [] : [counted(language, words.unreadable, unreadableCalls.length)]),
    ...(languageRemembered ? [words.languageRemembered] : []),
    ...(keysNotSearched.length === 0 ? [] : [words.keys]),
  ];
}

export function WhatThereIs({ found, isAfter }: { found: Found; isAfter: boolean }) {
  const speech = useSpeech();
  const { language, say } = speech;
  const { recordings } = found;

  return (
    <>
      {isNothing(found) && !isAfter && (
        <div class="note">
          <p>
            <strong>{say.persons.noneTitle}</strong>
          </p>
          <p>{say.persons.none}</p>
        </div>
      )}
      {recordings.length > 0 && <p class="summary">{counted(language, say.persons.recordings, recordings.length)}</p>}
      <ul class="outcomes">
        {recordings.map((recording) => (
          <Item key={recording.id} recording={recording} />
        ))}
      </ul>
      {!isAfter && besides(found, speech).map((line) => <p key={line}>{line}</p>)}
    </>
  );
}
