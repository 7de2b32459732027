import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { In } from '../../../../src/call/decide/state.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { PauseLimit } from '../../../../src/call/session/pauseLimit.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';

const talking = stateAt('talking', someFacts(countingIds())) as In<'talking'>;
const paused = (until: number) => ({ ...talking, paused: { since: 0, by: 'operator', until } as const });
const limits: PauseLimit[] = [];
afterEach(() => {
  for (const limit of limits.splice(0)) limit.stop();
});

/** With an Asterisk whose clock only the test sets. */
function stage() {
  const events: CallEvent[] = [];
  const asterisk = { now: 1_000, isAway: false, asked: 0 };
  const limit = new PauseLimit({
    ari: {
      time: () => {
        asterisk.asked += 1;
        return asterisk.isAway
          ? Promise.reject(new PreavisError('ari_unreachable', 'away'))
          : Promise.resolve(asterisk.now);
      },
    },
    handle: (event) => {
      events.push(event);
    },
  });
  limits.push(limit);

  return { limit, events, asterisk };
}

test('a pause ends when its time is over by the clock of Asterisk, also where another process has begun it', async () => {
  const { limit, events, asterisk } = stage();
  limit.follow(paused(1_300));
  await eventually(() => asterisk.asked > 1);
  expect(events).toEqual([]);
  asterisk.now = 1_301;
  await eventually(() => events.length > 0);
  expect(events).toEqual([{ type: 'resumeAsked', by: 'limit', at: 1_301 }]);
});

test('an Asterisk that does not answer is asked again, and ends nothing', async () => {
  const { limit, events, asterisk } = stage();
  asterisk.isAway = true;
  limit.follow(paused(1));
  await eventually(() => asterisk.asked > 2);
  expect(events).toEqual([]);
  asterisk.isAway = false;
  await eventually(() => events.length > 0);
});

test('a pause that is over, or whose end was asked for, has no limit any more', async () => {
  const { limit, events, asterisk } = stage();
  limit.follow(paused(1_300));
  limit.follow(talking);
  asterisk.now = 2_000;
  await eventually(() => asterisk.asked > 0);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(events).toEqual([]);
  limit.follow({ ...talking, paused: { since: 0, by: 'operator', until: 1_300, endsBy: 'operator' } });
  expect(events).toEqual([]);
});

test('however often the call changes, Asterisk is asked no more often for it', async () => {
  const { limit, asterisk } = stage();
  for (let each = 0; each < 1_000; each += 1) limit.follow(paused(9_000_000 + each));
  await eventually(() => asterisk.asked > 0);
  expect(asterisk.asked).toBe(1);
});
