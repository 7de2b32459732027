import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { PersonErased, PersonErasures, PersonFound } from '../api/types.ts';
import { useDraft } from '../ui/drafts.tsx';
import { lookingAnew, useMe } from '../who.ts';
import {
  askedWith,
  erasureOf,
  freshRequest,
  isUncertain,
  isUnsaved,
  type Erased,
  type Request,
  type Step,
} from './request.ts';

export type RequestControl = {
  request: Request;
  type: (part: Partial<Omit<Request, 'step'>>) => void;
  find: (part?: Pick<Request, 'includeEvidence'>) => void;
  erase: () => void;
  /** What has become of the erasure meanwhile. */
  readAgain: () => void;
  /** What has become of one whose answer did not come. */
  readLost: () => void;
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

const erasuresNow = (): Promise<PersonErasures> => ask('/persons/erasures');
const read = (id: string): Promise<Erased> => ask(`/persons/erasures/${id}`);

/** It goes on when they look at another page meanwhile. */
// eslint-disable-next-line max-lines-per-function -- A list: what the buttons of one request do.
export function useRequest(): RequestControl {
  const { name: user } = useMe();
  const [request, change] = useDraft<Request>('person', freshRequest, isUnsaved);
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
        const problem = asProblem(thrown);
        to({ kind: 'typing', problem });
        // There may be companies to choose from that there were not when the page was opened.
        if (problem.places.includes('body.controller')) lookingAnew.dispatchEvent(new Event('wanted'));
      },
    );
  };
  const erase = (): void => {
    const found = foundIn(request.step);
    if (found === undefined) return;
    to({ kind: 'erasing', found });
    let known: string[] | undefined;
    const erasing = async (): Promise<PersonErased> => {
      const { erasures } = await erasuresNow();
      known = erasures.map(({ id }) => id);

      return eraseAsAsked(request);
    };
    erasing().then(
      (erased) => {
        to({ kind: 'erased', erased, isSaved: false });
      },
      (thrown: unknown) => {
        const problem = asProblem(thrown);
        to(
          known !== undefined && isUncertain(problem)
            ? { kind: 'cut', known, looked: 'not' }
            : { kind: 'refused', found, problem },
        );
      },
    );
  };
  const readLost = (): void => {
    const { step, whom } = request;
    if (step.kind !== 'cut') return;
    const asking: Step = { ...step, looked: 'asking' };
    to(asking);
    const came = (next: Step): void => {
      change((before) => (before.step === asking ? { ...before, step: next } : before));
    };
    const reading = async (): Promise<Step> => {
      const id = erasureOf(whom, user, step.known, await erasuresNow());

      return id === undefined
        ? { ...step, looked: 'none' }
        : { kind: 'erased', erased: await read(id), isSaved: false };
    };
    reading().then(came, (thrown: unknown) => {
      came({ ...step, looked: asProblem(thrown) });
    });
  };
  const readAgain = (): void => {
    const { step } = request;
    if (step.kind !== 'erased') return;
    const { id } = step.erased;
    const came = ({ now, ...rest }: { now?: Erased; problem?: Problem }): void => {
      change((before) => {
        // They may have begun with somebody else meanwhile.
        if (before.step.kind !== 'erased' || before.step.erased.id !== id) return before;
        const { kind, isSaved, erased } = before.step;

        return { ...before, step: { kind, isSaved, erased: { ...erased, ...now }, ...rest } };
      });
    };
    read(id).then(
      (now) => {
        came({ now });
      },
      (thrown: unknown) => {
        came({ problem: asProblem(thrown) });
      },
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
    readLost,
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
