import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { problemText } from '../ui/notes.tsx';
import { useTaking } from '../ui/taking.ts';
import type { Selecting } from './callTable.tsx';

/** What the API puts into one ZIP at most. */
const mostRecordings = 100;

export function SelectionBar({ selected, select }: Selecting) {
  const { language, say, format } = useSpeech();
  const { taking, take, cancel } = useTaking();
  const isTooMany = selected.size > mostRecordings;

  return (
    <section class="selection" aria-label={counted(language, say.list.selected, selected.size)}>
      <p aria-live="polite">
        <strong>{counted(language, say.list.selected, selected.size)}</strong>
        <span class="quiet">
          {isTooMany ? fill(say.list.tooMany, { count: mostRecordings }) : say.list.downloadHelp}
        </span>
        {taking.kind === 'failed' && <span class="wrong">{problemText(taking.problem, say)}</span>}
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
              take({ path: '/selections', body: { recordings: [...selected] }, name: 'recordings.zip' });
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
