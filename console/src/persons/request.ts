import type { Problem } from '../api/problem.ts';
import type { PersonErased, PersonErasures, PersonFound } from '../api/types.ts';

/** One request of a person, from their number to the answer. */

/** Where it was read again nobody asks whether the log of the catalogue is empty by now. */
export type Erased = Omit<PersonErased, 'logEmptied'> & Partial<Pick<PersonErased, 'logEmptied'>>;

/** Whom it is about, as it was typed. */
export type Whom = { number: string; controller: string; reference: string };

export type Step =
  | { kind: 'typing'; problem: Problem | undefined }
  /** `before`: what was found before, where they look again. */
  | { kind: 'searching'; before: PersonFound | undefined }
  | { kind: 'found'; found: PersonFound }
  | { kind: 'erasing'; found: PersonFound }
  /** It was refused: nothing has changed. */
  | { kind: 'refused'; found: PersonFound; problem: Problem }
  /** The connection was lost meanwhile: whether it was done can be asked. `known`: the erasures that there were before. none: it was not begun. */
  | { kind: 'cut'; known: readonly string[]; looked: 'not' | 'asking' | 'none' | Problem }
  /** `problem`: it was read again, in vain. */
  | { kind: 'erased'; erased: Erased; isSaved: boolean; problem?: Problem };

export type Request = {
  whom: Whom;
  /** Also what is kept as evidence. */
  includeEvidence: boolean;
  /** '': that in which they were last spoken to. */
  language: string;
  /** Whether a copy of all that there is was handed out. */
  isGiven: boolean;
  step: Step;
};

/** What was chosen for one person is not chosen for the next. */
export const requestOf = (whom: Whom): Omit<Request, 'step'> => ({
  whom,
  includeEvidence: false,
  language: '',
  isGiven: false,
});

export const freshRequest: Request = {
  ...requestOf({ number: '', controller: '', reference: '' }),
  step: { kind: 'typing', problem: undefined },
};

/** An answer that nobody has saved: it would be lost with the next one. */
export const hasUnsavedAnswer = (step: Step): boolean =>
  step.kind === 'erased' && step.erased.answer !== null && !step.isSaved;

/** Whether something is lost for who signs out: what was typed, and an answer. */
export const isUnsaved = ({ whom, step }: Request): boolean =>
  step.kind === 'erased' ? hasUnsavedAnswer(step) : whom.number.trim() !== '';

/** What the API is asked with. The number goes in the body alone: addresses are in logs. */
export function askedWith({ whom: { number, controller, reference } }: Pick<Request, 'whom'>): Record<string, string> {
  return {
    number: number.trim(),
    ...(controller.trim() === '' ? {} : { controller: controller.trim() }),
    ...(reference.trim() === '' ? {} : { reference: reference.trim() }),
  };
}

/** Where the answer did not come, or cannot be read, it may have been done all the same. */
export const isUncertain = ({ code, status }: Problem): boolean =>
  status === 0 || (status >= 500 && code !== 'job_busy') || code === 'unreadable';

/** That of this request: the newest of this user for it that was not there before. By what was there, since clocks of browsers are wrong. */
export function erasureOf(
  { controller, reference }: Whom,
  user: string,
  known: readonly string[],
  { erasures }: PersonErasures,
): string | undefined {
  return erasures.find(
    (each) =>
      !known.includes(each.id) &&
      each.askedBy === user &&
      each.controller === (controller.trim() || 'own') &&
      (each.reference ?? '') === reference.trim(),
  )?.id;
}

/** Where not every key was searched nobody knows whether there is nothing. */
export const isNothing = (
  found: Pick<
    PersonFound,
    'recordings' | 'unrecordedCalls' | 'openCalls' | 'unreadableCalls' | 'languageRemembered' | 'keysNotSearched'
  >,
): boolean =>
  found.recordings.length === 0 &&
  found.unrecordedCalls === 0 &&
  found.openCalls.length === 0 &&
  found.unreadableCalls.length === 0 &&
  !found.languageRemembered &&
  found.keysNotSearched.length === 0;
