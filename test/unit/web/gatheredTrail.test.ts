import type { RecordingId } from '../../../src/core/ids.ts';
import { GatheredTrail } from '../../../src/web/gatheredTrail.ts';
import { eventually } from '../../support/poll.ts';

type Step = readonly string[];

/** A catalogue that notes each step, and fails those that have `broken`; how often a real one waits for its disk, no test can see. */
function noting(): { trail: GatheredTrail; steps: Step[] } {
  const steps: Step[] = [];
  const appendAll = (lines: readonly { note: { event: string } }[]): Promise<void> => {
    const step = lines.map(({ note: { event } }) => event);
    steps.push(step);

    return step.includes('broken') ? Promise.reject(new Error('the disk is full')) : Promise.resolve();
  };

  return { trail: new GatheredTrail({ auditTrail: { appendAll } }), steps };
}

const recording = 'one' as RecordingId;
const line = (event: string) => ({ event, actor: 'user:coach' });

test('lines that come close together are one step in their order, and the first waits for none of them', async () => {
  const { trail, steps } = noting();
  const events = ['first', 'second', 'third', 'fourth'];
  await Promise.all(events.map((event) => trail.append(recording, line(event))));
  expect(steps).toEqual([['first'], ['second', 'third', 'fourth']]);
});

test('a line is only taken for written when its step is done', async () => {
  const { trail, steps } = noting();
  let written = 0;
  const all = ['first', 'second'].map((event) =>
    trail.append(recording, line(event)).then(() => {
      written += 1;
    }),
  );
  expect(written).toBe(0);
  await Promise.all(all);
  expect(written).toBe(2);
  await eventually(() => {
    expect(steps).toHaveLength(2);
  });
});

test('each line of a step that fails says so, and later ones are written', async () => {
  const { trail, steps } = noting();
  const answers = await Promise.allSettled(
    ['first', 'broken', 'beside it'].map((event) => trail.append(recording, line(event))),
  );
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  await trail.append(recording, line('later'));
  expect(steps.at(-1)).toEqual(['later']);
});
