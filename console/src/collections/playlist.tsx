import type { RecordingOfList } from '../api/types.ts';
import { Ended } from '../call/playerPanel.tsx';
import { usePlayer, type Player } from '../call/usePlayer.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useKeys } from '../ui/keys.ts';

/** The recordings of a collection, one after the other. */

/** Of a recording whose sound is there. */
export const canBePlayed = ({ status, durationMs }: RecordingOfList): boolean =>
  (status === 'archived' || status === 'recorded') && durationMs !== null && durationMs > 0;

type PlaylistProps = {
  /** Those that can be played. */
  list: readonly RecordingOfList[];
  current: RecordingOfList;
  onPlay: (recording: RecordingOfList) => void;
  onClose: () => void;
};

function Position({ player, lengthMs }: { player: Player; lengthMs: number }) {
  const { say, format } = useSpeech();

  return (
    <>
      <input
        type="range"
        class="seek"
        min={0}
        max={lengthMs}
        step={100}
        value={player.position}
        aria-label={say.player.position}
        aria-valuetext={fill(say.player.positionText, {
          at: format.position(player.position),
          of: format.position(lengthMs),
        })}
        onInput={({ currentTarget: { value } }) => {
          player.seek(Number(value));
        }}
      />
      <output class="position" data-position={Math.round(player.position)}>
        {format.position(player.position)} <span class="quiet">/ {format.position(lengthMs)}</span>
      </output>
    </>
  );
}

type Turn = { icon: 'previous' | 'next'; words: string; to: RecordingOfList | undefined };

function TurnButton({ icon, words, to, onPlay }: Turn & Pick<PlaylistProps, 'onPlay'>) {
  return (
    <button
      type="button"
      class="button button-round"
      aria-label={words}
      title={words}
      disabled={to === undefined}
      onClick={() => {
        if (to !== undefined) onPlay(to);
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

function PlayButton({ player }: { player: Player }) {
  const { say } = useSpeech();
  const isPlaying = ['playing', 'loading', 'unanswered'].includes(player.state.kind);

  return (
    <button
      type="button"
      class="button button-main button-round"
      aria-label={isPlaying ? say.player.pause : say.player.play}
      onClick={player.toggle}
    >
      {player.state.kind === 'loading' ? (
        <span class="spinner" aria-hidden="true" />
      ) : (
        <Icon name={isPlaying ? 'pause' : 'play'} isFilled={!isPlaying} />
      )}
    </button>
  );
}

function usePlaylistKeys(player: Player, turn: (by: 1 | -1) => void): void {
  const jump = (ms: number) => () => {
    player.seek(player.position + ms);
  };
  const step = (by: 1 | -1) => () => {
    turn(by);
  };
  useKeys({
    ' ': player.toggle,
    ArrowLeft: jump(-5_000),
    ArrowRight: jump(5_000),
    j: jump(-10_000),
    J: jump(-10_000),
    l: jump(10_000),
    L: jump(10_000),
    n: step(1),
    N: step(1),
    p: step(-1),
    P: step(-1),
  });
}

export function Playlist({ list, current, onPlay, onClose }: PlaylistProps) {
  const { say, format } = useSpeech();
  const { collections } = say;
  const place = list.findIndex(({ id }) => id === current.id);
  const turn = (by: 1 | -1): void => {
    const to = list[place + by];
    if (to !== undefined) onPlay(to);
  };
  const lengthMs = current.durationMs ?? 0;
  const player = usePlayer(current.id, {
    lengthMs,
    begins: true,
    onFinished: () => {
      turn(1);
    },
  });
  usePlaylistKeys(player, turn);

  return (
    <section class="selection playlist" aria-label={say.player.title}>
      <div class="playlist-what">
        <p>
          <Link href={`/calls/${current.call.id}`}>{format.dayAndTime(current.call.startedAt)}</Link>
        </p>
        <p class="quiet small" role="status">
          {fill(collections.playing, { number: place + 1, count: list.length })}
        </p>
      </div>
      <div class="playlist-controls">
        <TurnButton icon="previous" words={collections.previous} to={list[place - 1]} onPlay={onPlay} />
        <PlayButton player={player} />
        <TurnButton icon="next" words={collections.next} to={list[place + 1]} onPlay={onPlay} />
        <Position player={player} lengthMs={lengthMs} />
        <button
          type="button"
          class="button button-round button-quiet"
          aria-label={collections.stopList}
          title={collections.stopList}
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </div>
      <Ended player={player} />
    </section>
  );
}
