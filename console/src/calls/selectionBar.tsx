import { useEffect, useRef, useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { problemText } from '../ui/notes.tsx';
import type { Selecting } from './callTable.tsx';

/** What the API puts into one ZIP at most. */
const mostRecordings = 100;

type Taking = { kind: 'no' } | { kind: 'going'; bytes: number } | { kind: 'failed'; problem: Problem };

/** Gives what was fetched to the browser, as a file. */
function keep(parts: readonly Blob[], name: string): void {
  const address = URL.createObjectURL(new Blob([...parts], { type: 'application/zip' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(address);
  }, 60_000);
}

/** Of an answer that ends too soon nothing is kept: half a ZIP opens in some programs as if it were whole. */
async function fetchZip(
  recordings: readonly string[],
  signal: AbortSignal,
  told: (bytes: number) => void,
): Promise<void> {
  const answer = await send('/selections', { method: 'POST', body: { recordings }, signal });
  const reader = answer.body?.getReader();
  const parts: Blob[] = [];
  let bytes = 0;
  for (;;) {
    const step = await reader?.read();
    if (step?.value === undefined) break;
    parts.push(new Blob([step.value]));
    bytes += step.value.length;
    told(bytes);
  }
  keep(parts, 'recordings.zip');
}

function useTaking(selected: ReadonlySet<string>): { taking: Taking; take: () => void; cancel: () => void } {
  const [taking, setTaking] = useState<Taking>({ kind: 'no' });
  const under = useRef<AbortController>(null);
  useEffect(() => () => under.current?.abort(), []);
  const take = (): void => {
    const left = new AbortController();
    under.current = left;
    setTaking({ kind: 'going', bytes: 0 });
    fetchZip([...selected], left.signal, (bytes) => {
      if (!left.signal.aborted) setTaking({ kind: 'going', bytes });
    }).then(
      () => {
        if (!left.signal.aborted) setTaking({ kind: 'no' });
      },
      (thrown: unknown) => {
        setTaking(left.signal.aborted ? { kind: 'no' } : { kind: 'failed', problem: asProblem(thrown) });
      },
    );
  };

  return { taking, take, cancel: () => under.current?.abort() };
}

export function SelectionBar({ selected, select }: Selecting) {
  const { language, say, format } = useSpeech();
  const { taking, take, cancel } = useTaking(selected);
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
          <button type="button" class="button button-main" disabled={isTooMany} onClick={take}>
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
