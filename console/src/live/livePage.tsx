import { useState } from 'preact/hooks';
import type { Done } from '../../../src/web/routes/live.ts';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { LiveCall } from '../api/types.ts';
import { PbxChoice, usePbxs } from '../calls/pbxs.tsx';
import { useMe } from '../who.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Empty, ProblemNote, problemText, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useLive } from './useLive.ts';

type Task = LiveCall['tasks'][number];

/** The states of docs/call.md, as far as they differ for who looks on. */
const phases: Readonly<Record<string, 'before' | 'notice' | 'asking' | 'dialling' | 'talking' | 'ending'>> = {
  planning: 'before',
  checking: 'before',
  answering: 'before',
  choosing: 'notice',
  announcing: 'notice',
  confirming: 'notice',
  asking: 'asking',
  accepting: 'notice',
  acknowledging: 'notice',
  dialling: 'dialling',
  releasing: 'dialling',
  following: 'talking',
  talking: 'talking',
  closing: 'ending',
  ended: 'ending',
};

type Outcome =
  { kind: 'none' } | { kind: 'asking' } | { kind: 'done'; words: string } | { kind: 'failed'; problem: Problem };

function Tasks({ call }: { call: LiveCall }) {
  const { say } = useSpeech();
  const [outcome, setOutcome] = useState<Outcome>({ kind: 'none' });
  const act = (task: Task): void => {
    setOutcome({ kind: 'asking' });
    ask<Done>(`/live/${call.id}/${task}`, { method: 'POST' }).then(
      ({ done }) => {
        setOutcome({ kind: 'done', words: done ? say.live.done[task] : say.live.agreementUntold });
      },
      (thrown: unknown) => {
        setOutcome({ kind: 'failed', problem: asProblem(thrown) });
      },
    );
  };
  return (
    <div class="tasks">
      {call.tasks.map((task) => (
        <button
          key={task}
          type="button"
          class="button button-small"
          disabled={outcome.kind === 'asking'}
          onClick={() => {
            act(task);
          }}
        >
          {say.live[task]}
        </button>
      ))}
      <span role="status">
        {outcome.kind === 'done' && outcome.words}
        {outcome.kind === 'failed' && <span class="wrong">{problemText(outcome.problem, say)}</span>}
      </span>
    </div>
  );
}

function State({ call }: { call: LiveCall }) {
  const { say } = useSpeech();
  if (call.isPaused) {
    return (
      <span class="tag tag-calm">
        <Icon name="pause" />
        {say.live.paused}
      </span>
    );
  }

  return call.isRecording ? (
    <span class="tag tag-now">
      <span class="dot" aria-hidden="true" />
      {say.live.recording}
    </span>
  ) : (
    <span class="tag">{say.live.notRecording}</span>
  );
}

function LiveItem({ call, hasPbxs }: { call: LiveCall; hasPbxs: boolean }) {
  const { say, format, lineName } = useSpeech();
  const { acts } = useMe();
  const languages = call.languages.map((tag) => format.languageName(tag)).join(', ');
  const phase = phases[call.phase];

  return (
    <li class="live-call">
      <div class="live-what">
        <p>
          <Link href={`/calls/${call.id}`}>
            {lineName(call.line)}
            {call.extension === null ? '' : ` ${call.extension}`}
          </Link>{' '}
          <State call={call} />
        </p>
        <p class="quiet">
          {[
            say.list.directions[call.direction],
            ...(phase === undefined ? [] : [say.live.phases[phase]]),
            ...(languages === '' ? [] : [languages]),
            ...(hasPbxs && call.pbx !== null ? [call.pbx] : []),
            fill(say.live.since, { time: format.clock(call.startedAt) }),
          ].join(' · ')}
        </p>
      </div>
      {acts.includes('actOnCall') && <Tasks call={call} />}
    </li>
  );
}

type PbxState = { pbx: string | undefined; onChoose: (pbx: string | undefined) => void };

function List({ calls, pbx, onChoose }: { calls: readonly LiveCall[] } & PbxState) {
  const { say } = useSpeech();
  // What was chosen stays to be seen where no call of it is left.
  const pbxs = usePbxs([...calls, { pbx: pbx ?? null }]);
  const shown = calls.filter((call) => pbx === undefined || call.pbx === pbx);

  return (
    <>
      {pbxs.length > 0 && (
        <div class="choices">
          <PbxChoice pbxs={pbxs} pbx={pbx} onChoose={onChoose} />
        </div>
      )}
      {shown.length === 0 ? (
        <Empty title={say.live.emptyTitle} text={say.live.empty} />
      ) : (
        <ul class="live">
          {shown.map((call) => (
            <LiveItem key={call.id} call={call} hasPbxs={pbxs.length > 0} />
          ))}
        </ul>
      )}
    </>
  );
}

export function LivePage() {
  const { say, format } = useSpeech();
  const live = useLive();
  const [pbx, onChoose] = useState<string>();
  usePageTitle(say.live.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.live.title}</h1>
          <p class="quiet">{say.live.intro}</p>
        </div>
        {live.kind === 'connected' && (
          <span class="tag tag-good" role="status">
            <span class="dot" aria-hidden="true" />
            {say.live.connected}
          </span>
        )}
      </header>
      {live.kind === 'connecting' && <Waiting />}
      {live.kind === 'refused' && <ProblemNote problem={live.problem} />}
      {live.kind === 'lost' && (
        <>
          <p class="note note-problem" role="alert">
            {fill(say.live.lost, { time: format.clock(live.since) })}
          </p>
          {/* Nothing can be asked of calls that may be over. */}
          <div class="stale" inert>
            <List calls={live.calls} pbx={pbx} onChoose={onChoose} />
          </div>
        </>
      )}
      {live.kind === 'connected' && <List calls={live.calls} pbx={pbx} onChoose={onChoose} />}
    </div>
  );
}
