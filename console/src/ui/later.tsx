import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../api/problem.ts';
import { ProblemNote, Waiting } from './notes.tsx';

type Loaded = { kind: 'waiting' } | { kind: 'given'; Page: ComponentType } | { kind: 'failed' };

/** A page that is fetched when somebody goes there. Where the network has dropped meanwhile, it can be asked for again. */
export function Later({ load }: { load: () => Promise<ComponentType> }) {
  const [loaded, setLoaded] = useState<Loaded>({ kind: 'waiting' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isLeft = false;
    load().then(
      (Page) => {
        if (!isLeft) setLoaded({ kind: 'given', Page });
      },
      () => {
        if (!isLeft) setLoaded({ kind: 'failed' });
      },
    );

    return () => {
      isLeft = true;
    };
  }, [load, turn]);
  switch (loaded.kind) {
    case 'given':
      return <loaded.Page />;
    case 'waiting':
      return (
        <div class="page">
          <Waiting />
        </div>
      );
    case 'failed':
      return (
        <div class="page">
          <ProblemNote
            problem={new Problem({ code: 'unreachable', status: 0 })}
            onRetry={() => {
              setLoaded({ kind: 'waiting' });
              setTurn((before) => before + 1);
            }}
          />
        </div>
      );
  }
}
