import type { AriCommands, AriQueries } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';
import { ofEach } from '../../ari/ofEach.ts';
import type { AskRetrying, RetryingRequest } from './retryingRequests.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import { recorderNames } from '../decide/order.ts';
import type { HoldEffect } from '../decide/state.ts';

/**
 * Asterisk 22.10.1 may lose the end of music that comes within some 0.2 s of its beginning (4 of 110 times), and who hears it then hears
 * nothing else until the end of the call. So it is asked for again after these pauses, ms: only where the music is so young, since the
 * end of music ends a ringing tone as well.
 */
const surePausesMs = [500, 2_000] as const;
const youngMs = 1_000;

export type MusicHoldPorts = {
  ari: AriCommands & Pick<AriQueries, 'time'>;
  askRetrying: AskRetrying;
  /** When music was last asked for, by channel; monotonic, ms. */
  musicSince: Map<ChannelId, number>;
  /** Whether they talk no more. */
  isOver: () => boolean;
  /** Whether the recorder is to run: one that is being stopped must not go on (P1). */
  isRecorded: () => boolean;
  keep: (entry: TimelineEntry) => Promise<unknown>;
};

/**
 * Makes Asterisk follow a hold. Music that does not end and a recorder that stays paused would be heard, or not, for the rest
 * of the talk: each is asked for until Asterisk does it, or the next hold wants something else.
 *
 * @throws the first refusal that is no use to repeat, when everything has been asked for
 */
export async function applyMusicHold({ waiting, back, recorder }: HoldEffect, ports: MusicHoldPorts): Promise<void> {
  const { ari, askRetrying, isOver, isRecorded, keep, musicSince } = ports;
  const now = performance.now();
  const isYoung = (id: ChannelId): boolean => now - (musicSince.get(id) ?? -Infinity) < youngMs;
  const wanted: RetryingRequest[] = [
    ...waiting.map((id) => ({ name: `music ${id}`, request: () => ari.playMusic(id), isOver })),
    ...back.map((id) => ({
      name: `music ${id}`,
      request: () => ari.stopMusic(id),
      isOver,
      again: isYoung(id) ? surePausesMs : [],
    })),
  ];
  for (const id of waiting) musicSince.set(id, now);
  if (recorder !== undefined) {
    const { paused, at } = recorder;
    const names = recorderNames(recorder);
    const change = paused ? 'recorderPaused' : 'recorderResumed';
    wanted.unshift({
      name: 'pause',
      request: () => ofEach(names, (name) => (paused ? ari.pauseRecorder(name) : ari.resumeRecorder(name))),
      // The hold may be much older: by now it is done, and no sooner is it known to be.
      done: async () => {
        // What is not known is no pause for certain.
        const doneAt = await ari.time().catch(() => undefined);
        await keep({ kind: 'change', change, at, ...(doneAt === undefined ? {} : { doneAt }) });
      },
      isOver: () => isOver() || !isRecorded(),
    });
  }
  const asked = await Promise.allSettled(wanted.map((each) => askRetrying(each)));
  for (const each of asked) if (each.status === 'rejected') throw each.reason;
}
