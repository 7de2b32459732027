import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Peaks } from '../../../src/web/routes/recordings.ts';
import { apiPath, ask } from '../api/client.ts';
import { asProblem, Problem } from '../api/problem.ts';
import { kept } from '../ui/kept.ts';
import { useIsUnseen } from '../who.ts';
import { HeardParts } from './heard.ts';

/** The sound of a recording: played in parts as they are needed, for as long as whoever hears it may. */

export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** So often it is asked whether they may still hear it, ms: what the browser has fetched ahead would play on otherwise. */
const askAgainMs = 2_000;
/** An answer that takes longer is none, ms. */
const answerWithinMs = 5_000;
/** So long it plays on while nobody answers whether it may be heard, ms. */
export const playsOnMs = 10_000;
/** So long no sound comes while it should play before that is told, ms: not every browser says that the network has dropped. */
export const stalledMs = 8_000;
/** So often what was heard is told, ms; and whenever it stops. */
const tellEveryMs = 30_000;

type PlayerState =
  | { kind: 'ready' }
  | { kind: 'loading' }
  | { kind: 'playing' }
  /** It plays from what was fetched, and nobody answers whether it may still be heard. */
  | { kind: 'unanswered' }
  /** It should play, and no sound comes. */
  | { kind: 'stalled' }
  /** It was stopped, since nobody answered for too long. */
  | { kind: 'stopped' }
  /** The right to hear it has ended; or there was none, and nothing was played. */
  | { kind: 'over'; problem: Problem; wasHeard: boolean }
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
  /** Fetches the sound anew, and plays on where it was. */
  again: () => void;
  /** To this position, ms. */
  seek: (position: number) => void;
  setSpeed: (speed: number) => void;
};

/** These say that it may not be heard any more, whatever else goes on. */
const isOver = ({ status }: Problem): boolean => [401, 403, 404, 410].includes(status);

const addressOf = (recording: string): string => `${apiPath}/recordings/${recording}/audio`;

function makeAudio(recording: string): HTMLAudioElement {
  const audio = new Audio();
  // Nothing is fetched before they want to hear it: who opens a page has not listened.
  audio.preload = 'none';
  audio.src = addressOf(recording);
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

type Ports = {
  recording: string;
  audio: HTMLAudioElement;
  heard: HeardParts;
  show: (state: PlayerState) => void;
  ended: (atSeconds: number) => void;
  /** Since when nobody answers, ms of this page; undefined: the last question was answered. */
  unansweredSince: number | undefined;
  /** What the element has of the sound is of no use any more: it is fetched anew. */
  isStuck: { current: boolean };
  /** The next one has the same element: a late answer says nothing of that one. */
  isLeft: boolean;
};

/** Stops, and lets go of what the browser has of the sound. */
function end({ audio, show, ended }: Ports, problem: Problem): void {
  const at = audio.currentTime;
  ended(at);
  audio.pause();
  audio.removeAttribute('src');
  audio.load();
  show({ kind: 'over', problem, wasHeard: at > 0 });
}

/** Whether they may hear it, by the same question that the picture of it is asked with. */
async function stillAllowed(ports: Ports): Promise<Problem | undefined> {
  try {
    await ask<Peaks>(`/recordings/${ports.recording}/peaks`, { signal: AbortSignal.timeout(answerWithinMs) });

    return undefined;
  } catch (thrown) {
    return asProblem(thrown);
  }
}

async function lookAfterFault(ports: Ports): Promise<void> {
  const problem = (await stillAllowed(ports)) ?? new Problem({ code: 'archive_unreachable', status: 503 });
  if (ports.isLeft) return;
  if (isOver(problem)) end(ports, problem);
  else ports.show({ kind: 'failed', problem });
}

/** What nobody confirms is not heard for long: a purpose may be over meanwhile, or the session. */
async function lookWhilePlaying(ports: Ports): Promise<void> {
  const { audio, show } = ports;
  const problem = await stillAllowed(ports);
  if (ports.isLeft) return;
  if (problem !== undefined && isOver(problem)) {
    end(ports, problem);
    return;
  }
  if (problem === undefined) {
    // It is asked from when the sound is wanted: there may be none yet.
    if (ports.unansweredSince !== undefined && !audio.paused) {
      const hasSound = audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
      show({ kind: ports.isStuck.current ? 'stalled' : hasSound ? 'playing' : 'loading' });
    }
    ports.unansweredSince = undefined;
    return;
  }
  ports.unansweredSince ??= performance.now();
  if (audio.paused) return;
  show({ kind: 'unanswered' });
  if (performance.now() - ports.unansweredSince < playsOnMs) return;
  ports.isStuck.current = true;
  audio.pause();
}

/** Whether sound comes, from when it is asked for. */
function watchForSound(ports: Ports): () => void {
  const { audio, show, isStuck } = ports;
  let at = audio.currentTime;
  let since = performance.now();
  const watching = setInterval(() => {
    if (audio.currentTime !== at) {
      [at, since] = [audio.currentTime, performance.now()];
      if (!isStuck.current || audio.seeking) return;
      isStuck.current = false;
      show({ kind: 'playing' });
      return;
    }
    // Where nobody answers at all, that is told.
    if (isStuck.current || ports.unansweredSince !== undefined || performance.now() - since < stalledMs) return;
    isStuck.current = true;
    show({ kind: 'stalled' });
  }, 500);

  return () => {
    clearInterval(watching);
  };
}

function watchWhilePlaying(ports: Ports): () => void {
  const look = (): void => void lookWhilePlaying(ports);
  // What was fetched before would play again, and nobody would have been asked.
  if (ports.unansweredSince !== undefined) look();
  const asking = setInterval(look, askAgainMs);
  const telling = setInterval(() => {
    tell(ports.recording, ports.heard);
  }, tellEveryMs);

  return () => {
    clearInterval(asking);
    clearInterval(telling);
    tell(ports.recording, ports.heard);
  };
}

const isUnansweredTooLong = ({ unansweredSince }: Ports): boolean =>
  unansweredSince !== undefined && performance.now() - unansweredSince >= playsOnMs;

/** What the element tells. */
function listen(ports: Ports, moved: () => void, finished: () => void): () => void {
  const { audio, heard, show } = ports;
  let unwatch: (() => void) | undefined;
  let unwatchSound: (() => void) | undefined;
  const stopped = (): void => {
    heard.interrupted();
    unwatch?.();
    unwatch = undefined;
    unwatchSound?.();
    moved();
  };
  const events: Readonly<Record<string, () => void>> = {
    play: () => {
      unwatchSound?.();
      unwatchSound = watchForSound(ports);
      // Not only once sound comes: on a network that hangs none does, and nobody would be told.
      unwatch ??= watchWhilePlaying(ports);
      show({ kind: 'loading' });
    },
    emptied: () => {
      heard.interrupted();
    },
    playing: () => {
      heard.playedTo(audio.currentTime * 1_000);
      show({ kind: ports.unansweredSince === undefined ? 'playing' : 'unanswered' });
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
      if (audio.hasAttribute('src')) show({ kind: isUnansweredTooLong(ports) ? 'stopped' : 'ready' });
    },
    ended: finished,
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

/** Whoever signs in again goes on where they were: what had ended with the session begins anew with it. */
function useComeBack(isLeft: boolean, audio: HTMLAudioElement, comeBack: () => void): void {
  const isUnseen = useIsUnseen();
  useEffect(() => {
    if (isLeft && !isUnseen) comeBack();
  }, [isLeft, isUnseen, audio]);
}

function play(audio: HTMLAudioElement, isStuck: { current: boolean }): void {
  // Where the right to hear it has ended, that is told, and stays so.
  if (!audio.hasAttribute('src')) return;
  if (audio.error !== null || isStuck.current) {
    isStuck.current = false;
    const at = audio.currentTime;
    audio.load();
    audio.currentTime = at;
  }
  void audio.play().catch(() => undefined);
}

type Playing = {
  /** Of the recording, ms: nobody seeks beyond its end. */
  lengthMs: number;
  /** Whether it begins by itself, as behind another that they wanted to hear. */
  begins?: boolean;
  onFinished?: () => void;
};

/** Plays what it is given, and tells how far it is and what was heard of it. */
function useSound(recording: string, audio: HTMLAudioElement, { begins = false, onFinished }: Playing) {
  const [state, show] = useState<PlayerState>({ kind: 'ready' });
  const [position, move] = useState(0);
  const total = useRef(0);
  const leftAt = useRef(0);
  const isStuck = useRef(false);
  const finished = useRef(onFinished);
  finished.current = onFinished;
  useEffect(() => {
    const heard = new HeardParts();
    const ended = (atSeconds: number): void => {
      leftAt.current = atSeconds;
    };
    const ports: Ports = { recording, audio, heard, show, ended, isStuck, unansweredSince: undefined, isLeft: false };
    isStuck.current = false;
    if (audio.getAttribute('src') !== addressOf(recording)) audio.src = addressOf(recording);
    show({ kind: 'ready' });
    move(0);
    let last = audio.currentTime;
    const moved = (): void => {
      const step = audio.currentTime - last;
      if (!audio.paused && step > 0 && step < 2) total.current += step;
      last = audio.currentTime;
      move(audio.currentTime * 1_000);
    };
    const unlisten = listen(ports, moved, () => finished.current?.());
    if (begins) play(audio, isStuck);

    return () => {
      ports.isLeft = true;
      audio.pause();
      unlisten();
      audio.removeAttribute('src');
      audio.load();
    };
  }, [recording, audio]);
  useComeBack(state.kind === 'over' && state.problem.status === 401, audio, () => {
    audio.src = addressOf(recording);
    audio.currentTime = leftAt.current;
    move(leftAt.current * 1_000);
    show({ kind: 'ready' });
  });

  return { state, position, move, isStuck, heardSeconds: total.current };
}

export function usePlayer(recording: string, playing: Playing): Player {
  const [speed, setSpeed] = useState(startSpeed);
  // One for all recordings that are played one after the other: a browser lets go on what somebody has begun.
  const audio = useMemo(() => makeAudio(recording), []);
  const { state, position, move, isStuck, heardSeconds } = useSound(recording, audio, playing);
  useEffect(() => {
    audio.defaultPlaybackRate = speed;
    audio.playbackRate = speed;
  }, [audio, speed]);
  return {
    audio,
    state,
    position,
    speed,
    heardSeconds,
    toggle: () => {
      // Where its fetching has failed, the element does not count as paused.
      if (audio.paused || audio.error !== null) play(audio, isStuck);
      else audio.pause();
    },
    again: () => {
      isStuck.current = true;
      play(audio, isStuck);
    },
    seek: (to) => {
      audio.currentTime = Math.min(playing.lengthMs, Math.max(0, to)) / 1_000;
      move(audio.currentTime * 1_000);
    },
    setSpeed: (chosen) => {
      kept.set('speed', String(chosen));
      setSpeed(chosen);
    },
  };
}
