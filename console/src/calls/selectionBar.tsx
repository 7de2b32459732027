import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../api/problem.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { problemText } from '../ui/notes.tsx';
import { useTaking } from '../ui/taking.ts';
import type { Selecting } from './callTable.tsx';

/** What the API puts into one ZIP at most. */
const mostRecordings = 100;

/** Those that the API did not refuse: it names the others by their places. */
const leftOf = (sent: readonly string[], { places }: Problem): string[] =>
  sent.filter((_id, at) => !places.includes(`body.recordings.${at}`));

export function SelectionBar({ selected, select }: Selecting) {
  const { language, say, format } = useSpeech();
  const { taking, take, cancel } = useTaking();
  const isTooMany = selected.size > mostRecordings;
  const sent = useRef<readonly string[]>([]);
  const problem = taking.kind === 'failed' ? taking.problem : undefined;
  const left = problem === undefined ? [] : leftOf(sent.current, problem);
  const isPart = left.length > 0 && left.length < sent.current.length;
  useEffect(() => {
    // What was ticked meanwhile stays.
    if (isPart) select(new Set([...selected].filter((id) => left.includes(id) || !sent.current.includes(id))));
  }, [problem]);

  return (
    <section class="selection" aria-label={counted(language, say.list.selected, selected.size)}>
      <p aria-live="polite">
        <strong>{counted(language, say.list.selected, selected.size)}</strong>
        <span class="quiet">
          {isTooMany ? fill(say.list.tooMany, { count: mostRecordings }) : say.list.downloadHelp}
        </span>
        {problem !== undefined && (
          <span class="wrong">
            {isPart ? fill(say.list.notAll, { why: problemText(problem, say) }) : problemText(problem, say)}
          </span>
        )}
      </p>
      {taking.kind === 'going' ? (
        <>
          <span role="status">{fill(say.list.downloading, { size: format.size(taking.bytes) })}</span>
          <button type="button" class="button" onClick={cancel}>
            {say.list.cancel}
          </button>
        </>
      ) : (
        <>
          <button
            type="button"
            class="button button-main"
            disabled={isTooMany}
            onClick={() => {
              sent.current = [...selected];
              take({ path: '/selections', body: { recordings: sent.current }, name: 'recordings.zip' });
            }}
          >
            <Icon name="down" />
            {say.list.download}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => {
              select(new Set());
            }}
          >
            {say.list.clearSelection}
          </button>
        </>
      )}
    </section>
  );
}
