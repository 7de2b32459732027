import type { Problem } from '../api/problem.ts';
import type { PersonErased, PersonFound } from '../api/types.ts';

/** One request of a person, from their number to the answer. */

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
  /** The connection was lost meanwhile: nobody here knows whether it was done. */
  | { kind: 'cut' }
  | { kind: 'erased'; erased: PersonErased; isSaved: boolean };

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

export const freshRequest: Request = {
  whom: { number: '', controller: '', reference: '' },
  includeEvidence: false,
  language: '',
  isGiven: false,
  step: { kind: 'typing', problem: undefined },
};

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
  status === 0 || code === 'unreadable' || code === 'internal';
