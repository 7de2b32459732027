import { makeLog } from '../../../src/core/log.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { ListeningLog } from '../../../src/web/listening.ts';
import { actorOf } from '../../support/web/webStage.ts';

const recording = { id: 'one' as RecordingId, msPerByte: 1 };
const part = { from: 0, purposes: ['training'] };

/** A trail whose disk answers when the test says so: a real one is too quick to be seen waiting. */
function slowTrail() {
  const events: string[] = [];
  const waiting: { done: () => void; fail: (why: Error) => void }[] = [];
  const append = (_: RecordingId | null, { event }: { event: string }): Promise<void> => {
    events.push(event);

    return new Promise((done, fail) => {
      waiting.push({ done, fail });
    });
  };
  const log = new ListeningLog({ auditTrail: { append } }, makeLog('silent', process.stderr));

  return { log, events, waiting };
}

test('no part of a recording is sent before the first line of its listener is on the disk, however many are asked for at once', async () => {
  const { log, events, waiting } = slowTrail();
  let begun = 0;
  const parts = [0, 1, 2].map(async () => {
    await log.begin(actorOf('coach'), 'listen', recording, part);
    begun += 1;
  });
  await Promise.resolve();
  expect({ begun, events }).toEqual({ begun: 0, events: ['listening begun'] });
  waiting[0]?.done();
  await Promise.all(parts);
  expect({ begun, events }).toEqual({ begun: 3, events: ['listening begun'] });
});

test('where that line cannot be written none of them is sent, and the next one tries again', async () => {
  const { log, events, waiting } = slowTrail();
  const parts = [0, 1].map(() => log.begin(actorOf('coach'), 'listen', recording, part));
  waiting[0]?.fail(new Error('the disk is full'));
  expect((await Promise.allSettled(parts)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(log.playing).toBe(0);
  const again = log.begin(actorOf('coach'), 'listen', recording, part);
  waiting[1]?.done();
  await again;
  expect(events).toEqual(['listening begun', 'listening begun']);
});

test('whoever asks for every second byte has a short line, with the seconds that were sent', async () => {
  const lines: { event: string; detail: unknown }[] = [];
  const append = (_: RecordingId | null, { event, detail }: { event: string; detail?: unknown }): Promise<void> => {
    lines.push({ event, detail });

    return Promise.resolve();
  };
  const log = new ListeningLog({ auditTrail: { append } }, makeLog('silent', process.stderr));
  for (const begin of [0, 60_000]) {
    for (let from = begin; from < begin + 2_000; from += 2) {
      (await log.begin(actorOf('coach'), 'listen', recording, { from, purposes: ['training'] })).end(1);
    }
  }
  await log.stop();
  const parts = [
    [0, 2],
    [60, 62],
  ];
  expect(lines.at(-1)).toEqual({ event: 'listened', detail: { role: 'coach', seconds: 2, parts } });
});
