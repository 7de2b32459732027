import { useEffect, useRef, useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';

/** Files that the API makes on request, and gives once: they are fetched whole, and then given to the browser. */

export type Taking =
  | { kind: 'no' }
  | { kind: 'going'; bytes: number }
  | { kind: 'failed'; problem: Problem }
  /** The browser has it; `headers` of the answer. */
  | { kind: 'done'; headers: Headers };

type Wanted = { path: string; body: unknown; name: string };

/** Gives a file to the browser. */
export function saveFile(parts: readonly (Blob | string)[], { name, type }: { name: string; type: string }): void {
  const address = URL.createObjectURL(new Blob([...parts], { type }));
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
  { path, body, name }: Wanted,
  signal: AbortSignal,
  told: (bytes: number) => void,
): Promise<Headers> {
  const answer = await send(path, { method: 'POST', body, signal });
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
  saveFile(parts, { name, type: 'application/zip' });

  return answer.headers;
}

/** Whoever leaves the page lets go of what is under way. */
export function useTaking(): { taking: Taking; take: (wanted: Wanted) => void; cancel: () => void } {
  const [taking, setTaking] = useState<Taking>({ kind: 'no' });
  const under = useRef<AbortController>(null);
  useEffect(() => () => under.current?.abort(), []);
  const take = (wanted: Wanted): void => {
    const left = new AbortController();
    under.current = left;
    const told = (state: Taking): void => {
      if (!left.signal.aborted) setTaking(state);
    };
    told({ kind: 'going', bytes: 0 });
    fetchZip(wanted, left.signal, (bytes) => {
      told({ kind: 'going', bytes });
    }).then(
      (headers) => {
        told({ kind: 'done', headers });
      },
      (thrown: unknown) => {
        told({ kind: 'failed', problem: asProblem(thrown) });
      },
    );
  };
  const cancel = (): void => {
    under.current?.abort();
    setTaking({ kind: 'no' });
  };

  return { taking, take, cancel };
}
