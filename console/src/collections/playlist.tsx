import type { RecordingOfList } from '../api/types.ts';
import { Ended } from '../call/playerPanel.tsx';
import { keysOf, PlayButton, Position, Seek } from '../call/playing.tsx';
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

function usePlaylistKeys(player: Player, turn: (by: 1 | -1) => void): void {
  const step = (by: 1 | -1) => () => {
    turn(by);
  };
  useKeys({
    ...keysOf(player),
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
        <Seek player={player} lengthMs={lengthMs} />
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
