import { applyMusicHold, type MusicHoldPorts } from '../../../../src/call/session/applyMusicHold.ts';
import { makeRetryingRequests } from '../../../../src/call/session/retryingRequests.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId, RecordingId } from '../../../../src/core/ids.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const caller = 'caller' as ChannelId;

function stage() {
  const ari = scriptedAri();
  const ports: MusicHoldPorts = {
    ari,
    askRetrying: makeRetryingRequests(collectingLog().log),
    musicSince: new Map(),
    isOver: () => false,
    isRecorded: () => false,
    keep: () => Promise.resolve(),
  };
  const hold = (waiting: ChannelId[], back: ChannelId[]) =>
    applyMusicHold({ type: 'hold', waiting, back, recorder: undefined }, ports);

  return { ari, ports, hold };
}

const passed = async (ms: number): Promise<void> => {
  const since = performance.now();
  await eventually(() => performance.now() - since > ms);
};

test('the end of music that has only begun is asked for again, since Asterisk may lose it', async () => {
  const { ari, hold } = stage();
  await hold([caller], []);
  await hold([], [caller]);
  await eventually(() => ari.asked.length === 3);
  expect(ari.asked).toEqual([`playMusic ${caller}`, `stopMusic ${caller}`, `stopMusic ${caller}`]);
});

test.each([
  ['that has played for longer', (ports: MusicHoldPorts) => ports.musicSince.set(caller, performance.now() - 1_001)],
  ['that was never asked for', () => undefined],
])('the end of music %s is not: it would end a ringing tone, too', async (_, before) => {
  const { ari, ports, hold } = stage();
  before(ports);
  await hold([], [caller]);
  await passed(700);
  expect(ari.asked).toEqual([`stopMusic ${caller}`]);
});

/** What is kept of a pause, which Asterisk tells the time of so. */
async function pausedBy(
  { ports }: ReturnType<typeof stage>,
  asteriskNow: MusicHoldPorts['ari']['time'],
): Promise<TimelineEntry[]> {
  const kept: TimelineEntry[] = [];
  ports.ari.time = asteriskNow;
  const recorder = { recording: 'recording' as RecordingId, paused: true, at: 7 };
  await applyMusicHold(
    { type: 'hold', waiting: [], back: [], recorder },
    {
      ...ports,
      isRecorded: () => true,
      keep: (happening) => {
        kept.push(happening);
        return Promise.resolve();
      },
    },
  );

  return kept;
}

test('when the recorder was paused at the latest is known once Asterisk has done it, however long after the hold', async () => {
  const set = stage();
  set.ari.refuse('pauseRecorder', 'ari_unreachable', 2);
  const kept = await pausedBy(set, () => Promise.resolve(1_000 * set.ari.asked.length));
  expect(kept).toEqual([]);
  await eventually(() => kept.length === 1);
  expect(kept).toEqual([{ kind: 'change', change: 'recorderPaused', at: 7, doneAt: 3_000 }]);
});

test('a pause is kept also where Asterisk does not tell when it had done it', async () => {
  const kept = await pausedBy(stage(), () => Promise.reject(new PreavisError('ari_unreachable', 'no answer')));
  expect(kept).toEqual([{ kind: 'change', change: 'recorderPaused', at: 7 }]);
});
