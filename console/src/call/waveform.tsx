import { useEffect, useRef } from 'preact/hooks';
import WaveSurfer from 'wavesurfer.js';
import { useSpeech } from '../text/say.tsx';
import type { Mark } from './marks.ts';
import { Seek } from './playing.tsx';
import type { Player } from './usePlayer.ts';

const nonceOf = (): string => document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content ?? '';

/** The lowest and the highest of each part stand one after the other: below and above the middle. */
function channelsOf(peaks: readonly number[]): [number[], number[]] {
  const above = peaks.filter((_peak, index) => index % 2 === 1).map((peak) => peak / 128);
  const below = peaks.filter((_peak, index) => index % 2 === 0).map((peak) => -peak / 128);

  return [above, below];
}

/** A colour of the style sheet, as it is now: what a variable says is both, that of light and that of dark. */
function colourOf(box: HTMLElement, name: string): string {
  const { color } = box.style;
  box.style.color = `var(${name})`;
  const found = getComputedStyle(box).color;
  box.style.color = color;

  return found;
}

function useWaveform(player: Player, peaks: readonly number[], lengthMs: number) {
  const box = useRef<HTMLDivElement>(null);
  const { audio } = player;
  useEffect(() => {
    if (box.current === null || peaks.length === 0) return undefined;
    const container = box.current;
    const colours = (): { waveColor: string; progressColor: string; cursorColor: string } => ({
      waveColor: colourOf(container, '--wave'),
      progressColor: colourOf(container, '--wave-heard'),
      cursorColor: colourOf(container, '--wave-cursor'),
    });
    const drawn = WaveSurfer.create({
      container,
      media: audio,
      peaks: channelsOf(peaks),
      duration: lengthMs / 1_000,
      height: 96,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      cursorWidth: 2,
      normalize: true,
      dragToSeek: true,
      hideScrollbar: true,
      cspNonce: nonceOf(),
      ...colours(),
    });
    const recolour = (): void => {
      drawn.setOptions(colours());
    };
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', recolour);
    const theme = new MutationObserver(recolour);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });

    return () => {
      dark.removeEventListener('change', recolour);
      theme.disconnect();
      drawn.destroy();
    };
  }, [audio, peaks, lengthMs]);

  return box;
}

const percent = (part: number): string => `${(100 * Math.min(1, Math.max(0, part))).toFixed(3)}%`;

/** What happened, above the sound at which it did. */
function Marks({ marks, lengthMs }: { marks: readonly Mark[]; lengthMs: number }) {
  return (
    <div class="marks" aria-hidden="true">
      {marks.map(({ kind, from, to, iso }) => (
        <span
          key={`${kind} ${iso}`}
          class={`mark mark-${kind}${to === undefined ? ' mark-point' : ''}`}
          style={{
            left: percent(from / lengthMs),
            ...(to === undefined ? {} : { width: percent((to - from) / lengthMs) }),
          }}
        />
      ))}
    </div>
  );
}

/** Times that are easy to read: at most six. */
function ticksOf(lengthMs: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].map((seconds) => seconds * 1_000);
  const step = steps.find((each) => lengthMs / each <= 6) ?? 7_200_000;

  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_none, index) => index * step).filter(
    (at) => at < lengthMs * 0.95,
  );
}

/** The waveform with the marks on it. It is a picture; the slider below it is what a keyboard moves. */
export function Waveform({
  player,
  peaks,
  marks,
  lengthMs,
}: {
  player: Player;
  peaks: readonly number[];
  marks: readonly Mark[];
  lengthMs: number;
}) {
  const { say, format } = useSpeech();
  const box = useWaveform(player, peaks, lengthMs);

  return (
    <div class="waveform">
      <div class="wave-box">
        <div class="wave" ref={box} role="img" aria-label={say.player.waveform} />
        <Marks marks={marks} lengthMs={lengthMs} />
      </div>
      {peaks.length === 0 && <p class="quiet">{say.player.noPeaks}</p>}
      <div class="scale" aria-hidden="true">
        {ticksOf(lengthMs).map((at) => (
          <span key={at} style={{ left: percent(at / lengthMs) }}>
            {format.position(at)}
          </span>
        ))}
      </div>
      <Seek player={player} lengthMs={lengthMs} />
    </div>
  );
}
