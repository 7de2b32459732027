import { useEffect } from 'preact/hooks';
import type { Peaks } from '../../../src/web/routes/recordings.ts';
import { apiPath } from '../api/client.ts';
import type { CallDetail, RecordingPart } from '../api/types.ts';
import type { Asked } from '../api/useAsked.ts';
import { AskToListen } from '../approvals/askToListen.tsx';
import type { Messages } from '../messages/en.ts';
import { useMe } from '../who.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useKeys } from '../ui/keys.ts';
import { problemText, ProblemNote, Waiting } from '../ui/notes.tsx';
import type { Mark } from './marks.ts';
import type { PlaceOfPlayer } from './notesProps.ts';
import { keysOf, PlayButton, Position } from './playing.tsx';
import { playsOnMs, speeds, stalledMs, usePlayer, type Player } from './usePlayer.ts';
import { Waveform } from './waveform.tsx';

function usePlayerKeys(player: Player): void {
  const { speed } = player;
  const faster = (by: 1 | -1) => () => {
    const at = speeds.findIndex((each) => each === speed);
    player.setSpeed(speeds[Math.min(speeds.length - 1, Math.max(0, at + by))] ?? 1);
  };
  useKeys({
    ...keysOf(player),
    '<': faster(-1),
    '>': faster(1),
  });
}

function SpeedChoice({ player }: { player: Player }) {
  const { say, format } = useSpeech();

  return (
    <label class="choice speed">
      <span class="quiet">{say.player.speed}</span>
      <select
        value={String(player.speed)}
        onChange={({ currentTarget: { value } }) => {
          player.setSpeed(Number(value));
        }}
      >
        {speeds.map((each) => (
          <option key={each} value={String(each)}>
            {format.speed(each)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Controls({ player, lengthMs }: { player: Player; lengthMs: number }) {
  const { say } = useSpeech();
  const { position } = player;

  return (
    <div class="controls">
      <button
        type="button"
        class="button button-round"
        aria-label={say.player.back}
        title={say.player.back}
        onClick={() => {
          player.seek(position - 10_000);
        }}
      >
        <Icon name="back" />
      </button>
      <PlayButton player={player} look="button-play" />
      <button
        type="button"
        class="button button-round"
        aria-label={say.player.forward}
        title={say.player.forward}
        onClick={() => {
          player.seek(position + 10_000);
        }}
      >
        <Icon name="forward" />
      </button>
      <Position player={player} lengthMs={lengthMs} />
      <SpeedChoice player={player} />
    </div>
  );
}

function MarkLegend({ marks }: { marks: readonly Mark[] }) {
  const { say } = useSpeech();
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  if (kinds.length === 0) return null;

  return (
    <ul class="legend" aria-label={say.player.marks}>
      {kinds.map((kind) => (
        <li key={kind} class={`legend-${kind}`}>
          {say.player.kinds[kind]}
        </li>
      ))}
    </ul>
  );
}

/** Why they may not hear it. */
const refusalText = (code: string, say: Messages): string =>
  code === 'access_refused' ? say.player.notYoursText : problemText({ code }, say);

/** Why it does not play, or not for much longer. */
export function Ended({ player }: { player: Player }) {
  const { say } = useSpeech();
  const { state } = player;
  switch (state.kind) {
    case 'ready':
    case 'loading':
    case 'playing':
      return null;
    case 'unanswered':
    case 'stopped':
    case 'stalled':
    case 'failed':
      return (
        <div class="note note-problem" role="alert">
          <p>
            {state.kind === 'failed'
              ? `${say.player.failed} ${problemText(state.problem, say)}`
              : fill(say.player[state.kind], { seconds: (state.kind === 'stalled' ? stalledMs : playsOnMs) / 1_000 })}
          </p>
          {state.kind !== 'unanswered' && (
            <button type="button" class="button" onClick={player.again}>
              {say.app.retry}
            </button>
          )}
        </div>
      );
    case 'over':
  }

  return (
    <div class="note note-problem" role="alert">
      <p>
        <strong>{state.wasHeard ? say.player.endedTitle : say.player.notYours}</strong>
      </p>
      {state.wasHeard && <p>{say.player.endedText}</p>}
      <p>{refusalText(state.problem.code, say)}</p>
    </div>
  );
}

type PlayerProps = {
  recording: RecordingPart & { durationMs: number };
  peaks: readonly number[];
  marks: readonly Mark[];
  /** Gives others the way to a position, and where it is. */
  onReady: (player: PlaceOfPlayer | undefined) => void;
};

function Playing({ recording, peaks, marks, onReady }: PlayerProps) {
  const { say, format } = useSpeech();
  const { acts } = useMe();
  const player = usePlayer(recording.id, { lengthMs: recording.durationMs });
  usePlayerKeys(player);
  useEffect(() => {
    onReady({ seek: player.seek, position: () => player.audio.currentTime * 1_000 });

    return () => {
      onReady(undefined);
    };
  }, [player.audio]);
  if (player.state.kind === 'over') return <Ended player={player} />;

  return (
    <>
      <Waveform player={player} peaks={peaks} marks={marks} lengthMs={recording.durationMs} />
      <MarkLegend marks={marks} />
      <Controls player={player} lengthMs={recording.durationMs} />
      <Ended player={player} />
      <p class="player-foot">
        <span class="quiet">
          {player.heardSeconds >= 1 &&
            fill(say.player.heard, { seconds: format.length(Math.round(player.heardSeconds) * 1_000) })}
        </span>
        {acts.includes('download') && (
          <a href={`${apiPath}/recordings/${recording.id}/audio?download=true`} download={`${recording.id}.wav`}>
            {say.player.download}
          </a>
        )}
      </p>
    </>
  );
}

/** Why there is no sound to hear; undefined where there is. */
function whySilent(recording: RecordingPart): keyof typeof silence | undefined {
  return recording.status in silence ? (recording.status as keyof typeof silence) : undefined;
}
const silence = { erased: true, discarded: true, lost: true, failed: true } as const;

/** The sound of a recording, or why there is none for who looks. */
export function PlayerPanel({
  recording,
  unheard,
  peaks,
  marks,
  onOpen,
  onReady,
}: {
  recording: RecordingPart;
  unheard: CallDetail['unheard'];
  peaks: Asked<Peaks> & { again: () => void };
  marks: readonly Mark[];
  /** Once somebody has agreed that they hear it. */
  onOpen: () => void;
  onReady: PlayerProps['onReady'];
}) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const gone = whySilent(recording);
  if (gone !== undefined) return <p class="note">{say.player.gone[gone]}.</p>;
  if (recording.status === 'recording') return <p class="note">{say.problems.recording_unfinished}</p>;
  if (unheard !== null) {
    const notYours = (
      <div class="note">
        <p>
          <strong>{say.player.notYours}</strong>
        </p>
        <p>{refusalText(unheard, say)}</p>
      </div>
    );

    return unheard === 'access_refused' && acts.includes('askApproval') ? (
      <AskToListen recording={recording.id} otherwise={notYours} onOpen={onOpen} />
    ) : (
      notYours
    );
  }
  if (peaks.kind === 'waiting') return <Waiting />;
  if (peaks.kind === 'failed') return <ProblemNote problem={peaks.problem} onRetry={peaks.again} />;
  const durationMs = recording.durationMs ?? peaks.answer.durationMs;
  if (durationMs === null || durationMs === 0) return <p class="note">{say.problems.recording_unfinished}</p>;

  return (
    <Playing recording={{ ...recording, durationMs }} peaks={peaks.answer.peaks} marks={marks} onReady={onReady} />
  );
}
