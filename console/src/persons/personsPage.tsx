import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { PersonFound } from '../api/types.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { AnswerCard } from './answerCard.tsx';
import { EraseCard } from './eraseCard.tsx';
import { FindForm } from './findForm.tsx';
import { GiveCard, LanguageField } from './giveCard.tsx';
import { hasUnsavedAnswer, type Request, type Step } from './request.ts';
import { useRequest, type RequestControl } from './useRequest.ts';
import { WhatThereIs } from './whatThereIs.tsx';

/** A request of a person, from their number to the answer. */

const steps = ['find', 'see', 'give', 'erase', 'answer'] as const;

/** Which of the steps it is at: between looking and erasing one may give a copy, or not. */
const placeOf: Readonly<Record<Step['kind'], (typeof steps)[number]>> = {
  typing: 'find',
  searching: 'find',
  found: 'see',
  refused: 'see',
  erasing: 'erase',
  cut: 'erase',
  erased: 'answer',
};

function Way({ request: { step, isGiven } }: { request: Request }) {
  const { say } = useSpeech();
  const here = steps.indexOf(placeOf[step.kind]);

  return (
    <ol class="way">
      {steps.map((each, index) => {
        const isDone = each === 'give' ? isGiven : index < here;

        return (
          <li key={each} class={isDone ? 'is-done' : undefined} aria-current={index === here ? 'step' : undefined}>
            <span class="way-number" aria-hidden="true">
              {isDone ? <Icon name="check" /> : index + 1}
            </span>
            <span class="way-name">{say.persons.steps[each]}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Whether somebody was looked for: the number is no field any more then. */
const isNamed = (step: Step): boolean =>
  step.kind !== 'typing' && (step.kind !== 'searching' || step.before !== undefined);

/** Whom it is about, once it is looked for: another number begins anew. */
function Whom({ control }: { control: RequestControl }) {
  const { say, companyName } = useSpeech();
  const { whom, step } = control.request;
  const isBusy = step.kind === 'erasing' || step.kind === 'searching' || hasUnsavedAnswer(step);

  return (
    <section class="card whom" aria-label={say.persons.number}>
      <p>
        <strong class="typed">{whom.number}</strong>{' '}
        <span class="quiet typed">
          {[companyName(whom.controller), whom.reference].filter((each) => each !== '').join(' · ')}
        </span>
      </p>
      <p class="tasks">
        <button
          type="button"
          class="button button-small"
          // What is not found any more may just have been erased, and its answer waits.
          disabled={isBusy || (step.kind === 'cut' && step.looked !== 'none')}
          onClick={() => {
            control.find();
          }}
        >
          {say.persons.again}
        </button>
        <button type="button" class="button button-small" disabled={isBusy} onClick={control.next}>
          {say.persons.next}
        </button>
      </p>
    </section>
  );
}

function Cut({ control, looked }: { control: RequestControl; looked: Extract<Step, { kind: 'cut' }>['looked'] }) {
  const { say } = useSpeech();

  return (
    <>
      <div class="note note-problem" role="alert">
        <p>
          <strong>{say.persons.cutTitle}</strong>
        </p>
        <p>{looked === 'none' ? say.persons.cutNone : say.persons.cut}</p>
      </div>
      {typeof looked === 'object' && <ProblemNote problem={looked} />}
      <p class="tasks">
        <button type="button" class="button button-main" disabled={looked === 'asking'} onClick={control.readLost}>
          {say.persons.readLost}
        </button>
      </p>
    </>
  );
}

type Titled = { control: RequestControl; title: RefObject<HTMLHeadingElement | null> };

function FindPart({ control }: { control: RequestControl }) {
  const { say } = useSpeech();

  return (
    <section class="card" aria-labelledby="find">
      <h2 id="find">{say.persons.steps.find}</h2>
      <FindForm control={control} />
    </section>
  );
}

function FoundPart({ control, title, found }: Titled & { found: PersonFound }) {
  const { say } = useSpeech();

  return (
    <>
      <section class="card" aria-labelledby="see">
        <h2 id="see" ref={title} tabIndex={-1}>
          {say.persons.seeTitle}
        </h2>
        <WhatThereIs found={found} isAfter={false} />
        <LanguageField control={control} />
      </section>
      <GiveCard control={control} />
      <EraseCard control={control} found={found} />
    </>
  );
}

function ErasedPart({ control, title, step }: Titled & { step: Extract<Step, { kind: 'erased' }> }) {
  const { say } = useSpeech();
  const { erased } = step;

  return (
    <>
      <AnswerCard control={control} step={step} title={title} />
      {erased.recordings.length > 0 && (
        <section class="card" aria-labelledby="see">
          <h2 id="see">{say.persons.doneTitle}</h2>
          <WhatThereIs found={erased} isAfter />
        </section>
      )}
    </>
  );
}

function StepPart({ control, title }: Titled) {
  const { step } = control.request;
  switch (step.kind) {
    case 'typing':
      return <FindPart control={control} />;
    case 'searching':
      return step.before === undefined ? (
        <FindPart control={control} />
      ) : (
        <FoundPart control={control} title={title} found={step.before} />
      );
    case 'cut':
      return <Cut control={control} looked={step.looked} />;
    case 'found':
    case 'refused':
    case 'erasing':
      return <FoundPart control={control} title={title} found={step.found} />;
    case 'erased':
      return <ErasedPart control={control} title={title} step={step} />;
  }
}

/** What came is read out, and the keyboard goes on from there. */
function useFocusOnWhatCame({ kind }: Step): RefObject<HTMLHeadingElement | null> {
  const title = useRef<HTMLHeadingElement>(null);
  const came = kind === 'erased' || kind === 'found' ? kind : undefined;
  useEffect(() => {
    if (came !== undefined) title.current?.focus();
  }, [came]);

  return title;
}

export function PersonsPage() {
  const { say } = useSpeech();
  const control = useRequest();
  const title = useFocusOnWhatCame(control.request.step);
  usePageTitle(say.persons.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.persons.title}</h1>
          <p class="quiet">{say.persons.intro}</p>
        </div>
      </header>
      <Way request={control.request} />
      {isNamed(control.request.step) && <Whom control={control} />}
      <StepPart control={control} title={title} />
    </div>
  );
}
