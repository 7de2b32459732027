import { ask } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import type { PersonErased, PersonFound } from '../api/types.ts';
import { useDraft } from '../ui/drafts.tsx';
import { askedWith, freshRequest, isUncertain, type Request, type Step } from './request.ts';

export type RequestControl = {
  request: Request;
  type: (part: Partial<Omit<Request, 'step'>>) => void;
  find: (part?: Pick<Request, 'includeEvidence'>) => void;
  erase: () => void;
  /** What has become of the erasure meanwhile. */
  readAgain: () => void;
  given: () => void;
  saved: () => void;
  next: () => void;
};

const foundIn = (step: Step): PersonFound | undefined => ('found' in step ? step.found : undefined);

function eraseAsAsked(request: Request): Promise<PersonErased> {
  const { language, includeEvidence } = request;
  const body = { ...askedWith(request), includeEvidence, ...(language === '' ? {} : { language }) };

  return ask('/persons/erase', { method: 'POST', body });
}

/** It goes on when they look at another page meanwhile. */
// eslint-disable-next-line max-lines-per-function -- A list: what the buttons of one request do.
export function useRequest(): RequestControl {
  const [request, change] = useDraft<Request>('person', freshRequest);
  const to = (step: Step): void => {
    change((before) => ({ ...before, step }));
  };
  const find: RequestControl['find'] = (part) => {
    const asked = { ...request, ...part };
    change((before) => ({ ...before, ...part, step: { kind: 'searching', before: foundIn(before.step) } }));
    const body = { ...askedWith(asked), includeEvidence: asked.includeEvidence };
    ask<PersonFound>('/persons/find', { method: 'POST', body }).then(
      (found) => {
        to({ kind: 'found', found });
      },
      (thrown: unknown) => {
        to({ kind: 'typing', problem: asProblem(thrown) });
      },
    );
  };
  const erase = (): void => {
    const found = foundIn(request.step);
    if (found === undefined) return;
    to({ kind: 'erasing', found });
    eraseAsAsked(request).then(
      (erased) => {
        to({ kind: 'erased', erased, isSaved: false });
      },
      (thrown: unknown) => {
        const problem = asProblem(thrown);
        to(isUncertain(problem) ? { kind: 'cut' } : { kind: 'refused', found, problem });
      },
    );
  };
  const readAgain = (): void => {
    const { step } = request;
    if (step.kind !== 'erased') return;
    const { erased } = step;
    // Where it is not told, what is shown is true still.
    ask<Omit<PersonErased, 'logEmptied'>>(`/persons/erasures/${erased.id}`).then(
      (now) => {
        to({ ...step, erased: { ...erased, ...now } });
      },
      () => undefined,
    );
  };

  return {
    request,
    type: (part) => {
      change((before) => ({ ...before, ...part }));
    },
    find,
    erase,
    readAgain,
    given: () => {
      change((before) => ({ ...before, isGiven: true }));
    },
    saved: () => {
      change((before) =>
        before.step.kind === 'erased' ? { ...before, step: { ...before.step, isSaved: true } } : before,
      );
    },
    next: () => {
      change(() => freshRequest);
    },
  };
}
