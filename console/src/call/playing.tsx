import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import type { Player } from './usePlayer.ts';

/** What every player has: of one call, and of a collection. */

export function Seek({ player, lengthMs }: { player: Player; lengthMs: number }) {
  const { say, format } = useSpeech();

  return (
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
  );
}

export function Position({ player: { position }, lengthMs }: { player: Player; lengthMs: number }) {
  const { format } = useSpeech();

  return (
    <output class="position" data-position={Math.round(position)}>
      {format.position(position)} <span class="quiet">/ {format.position(lengthMs)}</span>
    </output>
  );
}

/** @param look more of its classes */
export function PlayButton({ player: { state, toggle }, look = '' }: { player: Player; look?: string }) {
  const { say } = useSpeech();
  const isPlaying = ['playing', 'loading', 'unanswered', 'stalled'].includes(state.kind);

  return (
    <button
      type="button"
      class={`button button-main button-round ${look}`}
      aria-label={isPlaying ? say.player.pause : say.player.play}
      onClick={toggle}
    >
      {state.kind === 'loading' ? (
        <span class="spinner" aria-hidden="true" />
      ) : (
        <Icon name={isPlaying ? 'pause' : 'play'} isFilled={!isPlaying} />
      )}
    </button>
  );
}

/** The keys of each player. */
export function keysOf({ position, seek, toggle }: Player): Record<string, () => void> {
  const jump = (ms: number) => () => {
    seek(position + ms);
  };

  return {
    ' ': toggle,
    ArrowLeft: jump(-5_000),
    ArrowRight: jump(5_000),
    j: jump(-10_000),
    J: jump(-10_000),
    l: jump(10_000),
    L: jump(10_000),
  };
}
