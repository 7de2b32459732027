import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Peaks } from '../../../src/web/routes/recordings.ts';
import { apiPath, ask } from '../api/client.ts';
import { asProblem, Problem } from '../api/problem.ts';
import { kept } from '../ui/kept.ts';
import { HeardParts } from './heard.ts';

/** The sound of a recording: played in parts as they are needed, for as long as whoever hears it may. */

export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** So often it is asked whether they may still hear it, ms: what the browser has fetched ahead would play on otherwise. */
const askAgainMs = 2_000;
/** So often what was heard is told, ms; and whenever it stops. */
const tellEveryMs = 30_000;

type PlayerState =
  | { kind: 'ready' }
  | { kind: 'loading' }
  | { kind: 'playing' }
  /** The right to hear it has ended. */
  | { kind: 'over'; problem: Problem }
  | { kind: 'failed'; problem: Problem };

export type Player = {
  audio: HTMLAudioElement;
  state: PlayerState;
  /** ms. */
  position: number;
  speed: number;
  /** s, since the page was opened. */
  heardSeconds: number;
  toggle: () => void;
  /** To this position, ms. */
  seek: (position: number) => void;
  setSpeed: (speed: number) => void;
};

/** These say that it may not be heard any more, whatever else goes on. */
const isOver = ({ status }: Problem): boolean => [401, 403, 404, 410].includes(status);

function makeAudio(recording: string): HTMLAudioElement {
  const audio = new Audio();
  // Nothing is fetched before they want to hear it: who opens a page has not listened.
  audio.preload = 'none';
  audio.src = `${apiPath}/recordings/${recording}/audio`;
  audio.preservesPitch = true;

  return audio;
}

/** What has nothing against what was told, and may take it the next time. */
export const isForLater = ({ status }: Problem): boolean => status === 0 || status === 429 || status >= 500;

/** Tells the API what was heard. What could not be told is told the next time. */
function tell(recording: string, heard: HeardParts): void {
  const parts = heard.take();
  if (parts.length === 0) return;
  ask(`/recordings/${recording}/heard`, { method: 'POST', body: { parts }, keepalive: true }).catch(
    (thrown: unknown) => {
      // What the API refuses it would refuse again.
      if (isForLater(asProblem(thrown))) heard.putBack(parts);
    },
  );
}

type Ports = { recording: string; audio: HTMLAudioElement; heard: HeardParts; show: (state: PlayerState) => void };

/** Stops, and lets go of what the browser has of the sound. */
function end({ audio, show }: Ports, problem: Problem): void {
  audio.pause();
  audio.removeAttribute('src');
  audio.load();
  show({ kind: 'over', problem });
}

/** Whether they may hear it, by the same question that the picture of it is asked with. */
async function stillAllowed(ports: Ports): Promise<Problem | undefined> {
  try {
    await ask<Peaks>(`/recordings/${ports.recording}/peaks`);

    return undefined;
  } catch (thrown) {
    return asProblem(thrown);
  }
}

async function lookAfterFault(ports: Ports): Promise<void> {
  const problem = (await stillAllowed(ports)) ?? new Problem({ code: 'archive_unreachable', status: 503 });
  if (isOver(problem)) end(ports, problem);
  else ports.show({ kind: 'failed', problem });
}

function watchWhilePlaying(ports: Ports): () => void {
  const asking = setInterval(() => {
    void stillAllowed(ports).then((problem) => {
      if (problem !== undefined && isOver(problem)) end(ports, problem);
    });
  }, askAgainMs);
  const telling = setInterval(() => {
    tell(ports.recording, ports.heard);
  }, tellEveryMs);

  return () => {
    clearInterval(asking);
    clearInterval(telling);
    tell(ports.recording, ports.heard);
  };
}

/** What the element tells. */
function listen(ports: Ports, moved: () => void): () => void {
  const { audio, heard, show } = ports;
  let unwatch: (() => void) | undefined;
  const stopped = (): void => {
    heard.interrupted();
    unwatch?.();
    unwatch = undefined;
    moved();
  };
  const events: Readonly<Record<string, () => void>> = {
    playing: () => {
      heard.playedTo(audio.currentTime * 1_000);
      unwatch ??= watchWhilePlaying(ports);
      show({ kind: 'playing' });
    },
    waiting: () => {
      show({ kind: 'loading' });
    },
    timeupdate: () => {
      if (!audio.paused && !audio.seeking) heard.playedTo(audio.currentTime * 1_000);
      moved();
    },
    seeking: () => {
      heard.interrupted();
      moved();
    },
    pause: () => {
      stopped();
      if (audio.hasAttribute('src')) show({ kind: 'ready' });
    },
    error: () => {
      stopped();
      if (audio.hasAttribute('src')) void lookAfterFault(ports);
    },
  };
  for (const [name, act] of Object.entries(events)) audio.addEventListener(name, act);
  addEventListener('pagehide', stopped);

  return () => {
    for (const [name, act] of Object.entries(events)) audio.removeEventListener(name, act);
    removeEventListener('pagehide', stopped);
    stopped();
  };
}

function startSpeed(): number {
  const given = Number(kept.get('speed'));

  return speeds.find((each) => each === given) ?? 1;
}

/** @param lengthMs of the recording, so that nobody seeks beyond its end */
export function usePlayer(recording: string, lengthMs: number): Player {
  const [state, show] = useState<PlayerState>({ kind: 'ready' });
  const [position, setPosition] = useState(0);
  const [speed, setSpeed] = useState(startSpeed);
  const audio = useMemo(() => makeAudio(recording), [recording]);
  const heard = useRef(new HeardParts());
  const total = useRef(0);
  useEffect(() => {
    const ports: Ports = { recording, audio, heard: heard.current, show };
    let last = audio.currentTime;
    const unlisten = listen(ports, () => {
      const step = audio.currentTime - last;
      if (!audio.paused && step > 0 && step < 2) total.current += step;
      last = audio.currentTime;
      setPosition(audio.currentTime * 1_000);
    });

    return () => {
      audio.pause();
      unlisten();
      audio.removeAttribute('src');
      audio.load();
    };
  }, [recording, audio]);
  useEffect(() => {
    audio.defaultPlaybackRate = speed;
    audio.playbackRate = speed;
  }, [audio, speed]);

  return {
    audio,
    state,
    position,
    speed,
    heardSeconds: total.current,
    toggle: () => {
      if (!audio.paused) audio.pause();
      else if (audio.error === null) void audio.play().catch(() => undefined);
      else {
        const at = audio.currentTime;
        audio.load();
        audio.currentTime = at;
        void audio.play().catch(() => undefined);
      }
    },
    seek: (to) => {
      audio.currentTime = Math.min(lengthMs, Math.max(0, to)) / 1_000;
      setPosition(audio.currentTime * 1_000);
    },
    setSpeed: (chosen) => {
      kept.set('speed', String(chosen));
      setSpeed(chosen);
    },
  };
}
