import type { Checks } from '../../../src/web/routes/system.ts';
import { useAsked } from '../api/useAsked.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { ProblemNote, Waiting } from '../ui/notes.tsx';
import { FoundAt, useIsOld } from './foundAt.tsx';

/** What `preavis check` finds, by colour, sign and word. */

type Result = Checks['results'][number];

/** In this order: what is wrong first. */
const states = ['failed', 'warning', 'ok'] as const;
const looks: Readonly<Record<Result['state'], { tag: string; icon: IconName }>> = {
  failed: { tag: 'tag-fault', icon: 'none' },
  warning: { tag: 'tag-look', icon: 'warning' },
  ok: { tag: 'tag-good', icon: 'check' },
};

function Item({ result }: { result: Result }) {
  const { language, say } = useSpeech();
  const { check, about, state, text, hint, notes, unchecked } = result;

  return (
    <li class={`check check-${state}`}>
      <span class="check-sign" title={say.system.states[state]}>
        <Icon name={looks[state].icon} />
        <span class="unseen">{say.system.states[state]}</span>
      </span>
      <div class="check-what">
        <p>
          <strong lang="en">{check}</strong>
          {about !== null && <span class="quiet"> {about}</span>}
        </p>
        {text !== null && <p lang="en">{text}</p>}
        {hint !== null && (
          <p lang="en" class="quiet">
            {hint}
          </p>
        )}
        {unchecked.length > 0 && <p class="quiet">{fill(say.system.unchecked, { checks: unchecked.join(', ') })}</p>}
        {notes.length > 0 && (
          <details>
            <summary>{counted(language, say.system.notes, notes.length)}</summary>
            <ul lang="en" class="check-notes">
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}

function Found({ found }: { found: Checks }) {
  const { say, format } = useSpeech();
  const byState = states.map((state) => ({ state, results: found.results.filter((each) => each.state === state) }));

  return (
    <>
      <ul class="check-counts">
        {byState
          .filter(({ results }) => results.length > 0)
          .map(({ state, results }) => (
            <li key={state} class={`tag ${looks[state].tag}`}>
              <Icon name={looks[state].icon} />
              {fill(say.system.counts[state], { count: format.number(results.length) })}
            </li>
          ))}
      </ul>
      {byState
        .filter(({ results }) => results.length > 0)
        .map(({ state, results }) => {
          const list = (
            <ul key={state} class={`checks checks-${state}`}>
              {results.map((each) => (
                <Item key={`${each.check} ${each.about ?? ''}`} result={each} />
              ))}
            </ul>
          );

          // What is in order nobody has to read.
          return state === 'ok' && byState.some((each) => each.state !== 'ok' && each.results.length > 0) ? (
            <details key={state}>
              <summary>{fill(say.system.counts.ok, { count: format.number(results.length) })}</summary>
              {list}
            </details>
          ) : (
            list
          );
        })}
    </>
  );
}

/** @param isAnew they want to know how it is now, and not how it was a minute ago */
export function CheckCard({ isAnew }: { isAnew: boolean }) {
  const { say } = useSpeech();
  const { system } = say;
  const asked = useAsked<Checks>(isAnew ? '/system/checks?anew=true' : '/system/checks');
  const checkedAt = asked.kind === 'given' ? asked.answer.checkedAt : undefined;
  const isOld = useIsOld(checkedAt) || (asked.kind === 'given' && asked.fault !== undefined);

  return (
    <section class="card" aria-labelledby="check">
      <h2 id="check">{system.check}</h2>
      <p class="quiet small">{system.checkHelp}</p>
      {checkedAt !== undefined && <FoundAt iso={checkedAt} isOld={isOld} />}
      {asked.kind === 'waiting' && (
        <>
          <p class="quiet">{system.checking}</p>
          <Waiting />
        </>
      )}
      {asked.kind === 'failed' && <ProblemNote problem={asked.problem} onRetry={asked.again} />}
      {asked.kind === 'given' && (
        <div class={isOld ? 'found old' : 'found'}>
          <Found found={asked.answer} />
        </div>
      )}
    </section>
  );
}
