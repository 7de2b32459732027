import type { CallEvent } from './events.ts';
import { recorderOf, type Order, type RecorderId } from './order.ts';
import type { Pause, Recorder } from './state.ts';

/** What becomes of a recorder by what Asterisk tells of it. */

export function isActive(recorder: Recorder): boolean {
  return recorder.kind === 'requested' || recorder.kind === 'running';
}

export type RecorderEvent = Extract<
  CallEvent,
  { type: 'recorderStarted' | 'recorderFinished' | 'recorderFailed' | 'stepFailed' }
>;

/** It was asked for, or was to be, and does not run: what earlier parts have left of it stays. */
export function withoutPart({ resumes }: Extract<Recorder, { kind: 'requested' | 'awaited' }>): Recorder {
  return resumes?.startedAt === undefined
    ? { kind: 'failed' }
    : { kind: 'finished', startedAt: resumes.startedAt, finishedAt: resumes.doneAt };
}

/** What it is where the talk is over, or goes on unrecorded, before all were told, or anybody asked for it. */
export function withoutAwaited(recorder: Recorder, paused: Pause | undefined): Recorder {
  if (recorder.kind !== 'awaited') return recorder;
  const why = paused === undefined ? 'untold_party' : 'not_requested';

  return recorder.resumes === undefined ? { kind: 'withheld', why } : withoutPart(recorder);
}

/** What an event tells of a part before, which was asked to stop. */
function withEarlier(recorder: Recorder, event: RecorderEvent, { part = 0 }: Order): Recorder {
  if (recorder.kind !== 'requested' && recorder.kind !== 'awaited') return recorder;
  if (!('part' in event) || event.part >= part) return recorder;
  const { resumes } = recorder;
  if (resumes === undefined) return recorder;
  // It began after all, before it was stopped.
  if (event.type === 'recorderStarted') {
    const { startedAt, doneAt } = resumes;
    if (startedAt === undefined) return { ...recorder, resumes: { ...resumes, startedAt: event.at } };
    // What was before it is over, and told (session/resumption.ts). Without its end, this may be the start of the same.
    return doneAt === undefined ? recorder : { ...recorder, resumes: { startedAt, pausedAt: undefined } };
  }
  if (event.type !== 'recorderFinished' || resumes.doneAt !== undefined || event.at === undefined) return recorder;

  // Where nobody asked it to stop at a time, that is when it did.
  return { ...recorder, resumes: { ...resumes, pausedAt: resumes.pausedAt ?? event.at, doneAt: event.at } };
}

/** Whether an event speaks of a recorder of an earlier talk. */
export const isEarlier = (event: RecorderEvent, { part }: Order): boolean => 'part' in event && event.part !== part;

/** What the recorder becomes by an event that speaks of it. What was discarded stays discarded. */
export function recorderAfter(recorder: Recorder, event: RecorderEvent, order: Order): Recorder {
  if (isEarlier(event, order)) return withEarlier(recorder, event, order);
  switch (event.type) {
    case 'recorderStarted':
      if (recorder.kind === 'requested') {
        return { kind: 'running', startedAt: recorder.resumes?.startedAt ?? event.at };
      }
      // It was taken for refused, and what earlier talks have left for all there is.
      if (recorder.kind === 'finished' && event.part !== undefined) {
        return { kind: 'running', startedAt: recorder.startedAt };
      }
      return recorder.kind === 'failed' ? { kind: 'running', startedAt: event.at } : recorder;
    case 'recorderFinished':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: event.at };
      // It was taken for ended before Asterisk told when.
      if (recorder.kind === 'finished' && recorder.finishedAt === undefined)
        return { ...recorder, finishedAt: event.at };
      return recorder.kind === 'requested' ? withoutPart(recorder) : recorder;
    case 'recorderFailed':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: undefined };
      return recorder.kind === 'requested' ? withoutPart(recorder) : recorder;
    case 'stepFailed':
      return event.step === 'startRecorder' && recorder.kind === 'requested' ? withoutPart(recorder) : recorder;
  }
}

/** It is asked for at this time of Asterisk's, ms, and does not run before. */
export function askedFor<Asked extends Extract<Recorder, { kind: 'requested' }>>(
  recorder: Asked,
  at: number | undefined,
): Asked {
  const { resumes } = recorder;

  return resumes === undefined || at === undefined ? recorder : { ...recorder, resumes: { ...resumes, askedAt: at } };
}

/** The recorder that an event speaks of. */
export const askedBy = (event: RecorderEvent, order: Order): RecorderId =>
  recorderOf('part' in event ? { ...order, part: event.part } : order);

/** What was recorded before goes on in a part of its own. `at`: when its recorder was asked to stop, by Asterisk's clock, ms. */
export function requestedAfter(recorder: Recorder, at: number | undefined): Extract<Recorder, { kind: 'requested' }> {
  // What was asked for may have begun, and been stopped.
  const nothingYet = { startedAt: undefined, pausedAt: at };
  if (recorder.kind === 'failed') return { kind: 'requested', resumes: nothingYet };
  if (recorder.kind === 'requested' || recorder.kind === 'awaited')
    return { kind: 'requested', resumes: recorder.resumes ?? nothingYet };
  if (recorder.kind !== 'running' && recorder.kind !== 'finished') return { kind: 'requested' };
  // Since when nothing is recorded is not known where the end of the earlier part was missed: it was before `at`.
  const [pausedAt, doneAt] = recorder.kind === 'running' ? [at, undefined] : [recorder.finishedAt, recorder.finishedAt];

  return { kind: 'requested', resumes: { startedAt: recorder.startedAt, pausedAt, doneAt } };
}
