import type { CallEvent } from './events.ts';
import { recorderOf, type Order, type RecorderId } from './order.ts';
import type { Recorder } from './state.ts';

/** What becomes of a recorder by what Asterisk tells of it. */

export function isActive(recorder: Recorder): boolean {
  return recorder.kind === 'requested' || recorder.kind === 'running';
}

export type RecorderEvent = Extract<
  CallEvent,
  { type: 'recorderStarted' | 'recorderFinished' | 'recorderFailed' | 'stepFailed' }
>;

/** It was asked for and does not run: what earlier talks have left of it stays. */
const notStarted = ({ resumes }: Extract<Recorder, { kind: 'requested' }>): Recorder =>
  resumes === undefined
    ? { kind: 'failed' }
    : { kind: 'finished', startedAt: resumes.startedAt, finishedAt: resumes.pausedAt };

/** Whether an event speaks of a recorder of an earlier talk. */
export const isEarlier = (event: RecorderEvent, { part }: Order): boolean => 'part' in event && event.part !== part;

/** What the recorder becomes by an event that speaks of it. What was discarded stays discarded. */
export function recorderAfter(recorder: Recorder, event: RecorderEvent, order: Order): Recorder {
  if (isEarlier(event, order)) return recorder;
  switch (event.type) {
    case 'recorderStarted':
      if (recorder.kind === 'requested') {
        return { kind: 'running', startedAt: recorder.resumes === undefined ? event.at : recorder.resumes.startedAt };
      }
      // It was taken for refused, and what earlier talks have left for all there is.
      if (recorder.kind === 'finished' && event.part !== undefined) {
        return { kind: 'running', startedAt: recorder.startedAt };
      }
      return recorder.kind === 'failed' ? { kind: 'running', startedAt: event.at } : recorder;
    case 'recorderFinished':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: event.at };
      return recorder.kind === 'requested' ? notStarted(recorder) : recorder;
    case 'recorderFailed':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: undefined };
      return recorder.kind === 'requested' ? notStarted(recorder) : recorder;
    case 'stepFailed':
      return event.step === 'startRecorder' && recorder.kind === 'requested' ? notStarted(recorder) : recorder;
  }
}

/** The recorder that an event speaks of. */
export const askedBy = (event: RecorderEvent, order: Order): RecorderId =>
  recorderOf('part' in event ? { ...order, part: event.part } : order);

/** What was recorded before goes on in a part of its own. */
export function requestedAfter(recorder: Recorder): Recorder {
  if (recorder.kind !== 'running' && recorder.kind !== 'finished') return { kind: 'requested' };
  const pausedAt = recorder.kind === 'finished' ? recorder.finishedAt : undefined;

  return { kind: 'requested', resumes: { startedAt: recorder.startedAt, pausedAt } };
}
