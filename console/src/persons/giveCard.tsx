import { useEffect } from 'preact/hooks';
import { subjectLanguages } from '../../../src/dataSubject/languages.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { useTaking, type Taking } from '../ui/taking.ts';
import { askedWith } from './request.ts';
import type { RequestControl } from './useRequest.ts';

/** A copy of all that is kept, for the person. */

const countIn = (headers: Headers, name: string): number => Number(headers.get(name) ?? 0);

function State({ taking, onRetry }: { taking: Taking; onRetry: () => void }) {
  const { language, say, format } = useSpeech();
  if (taking.kind === 'failed') return <ProblemNote problem={taking.problem} onRetry={onRetry} />;
  if (taking.kind !== 'done') return null;
  const missing = countIn(taking.headers, 'preavis-missing');

  return (
    <div class={missing === 0 ? 'note' : 'note note-problem'} role="status">
      <p>{fill(say.persons.exported, { calls: format.number(countIn(taking.headers, 'preavis-calls')) })}</p>
      {missing > 0 && <p>{counted(language, say.persons.missing, missing)}</p>}
    </div>
  );
}

export function LanguageField({ control }: { control: RequestControl }) {
  const { say, format } = useSpeech();

  return (
    <div class="field person-language">
      <label for="person-language">{say.persons.language}</label>
      <select
        id="person-language"
        value={control.request.language}
        onChange={({ currentTarget: { value } }) => {
          control.type({ language: value });
        }}
      >
        <option value="">{say.persons.languageUsual}</option>
        {subjectLanguages.map((tag) => (
          <option key={tag} value={tag}>
            {format.languageName(tag)}
          </option>
        ))}
      </select>
    </div>
  );
}

export function GiveCard({ control }: { control: RequestControl }) {
  const { say, format } = useSpeech();
  const { taking, take, cancel } = useTaking();
  const { request } = control;
  const isDone = taking.kind === 'done';
  useEffect(() => {
    if (isDone) control.given();
  }, [isDone]);
  const give = (): void => {
    const body = { ...askedWith(request), ...(request.language === '' ? {} : { language: request.language }) };
    take({ path: '/persons/export', body, name: 'person.zip' });
  };

  return (
    <section class="card" aria-labelledby="give">
      <h2 id="give">{say.persons.steps.give}</h2>
      <p>{say.persons.giveText}</p>
      <p class="tasks">
        {taking.kind === 'going' ? (
          <>
            <span role="status">
              {taking.bytes === 0
                ? say.persons.finding
                : fill(say.list.downloading, { size: format.size(taking.bytes) })}
            </span>
            <button type="button" class="button" onClick={cancel}>
              {say.list.cancel}
            </button>
          </>
        ) : (
          <button type="button" class="button" onClick={give}>
            <Icon name="down" />
            {say.persons.export}
          </button>
        )}
      </p>
      <State taking={taking} onRetry={give} />
    </section>
  );
}
