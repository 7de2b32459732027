/**
 * Tell, then follow, with dialplans and telephones that do what nobody should: destinations that hang up as they answer, Local/ channels that
 * dial each other until Asterisk ends it, a call that is transferred again and again. The calls go on, and nobody untold is recorded.
 */
import { transfer } from '../../../../lab/telephones/dialog.ts';
import { eventually } from '../../../support/poll.ts';
import {
  agentHz,
  callerHz,
  dialogOf,
  expectAbsent,
  expectPresent,
  hearing,
  leastRecordedMs,
  strangerHz,
  useFollowed,
  type Phone,
} from '../../../support/call/followedCalls.ts';
import { catalogueCalls, endedCall, expectNobodyConnected } from '../../../support/rig/rigs.ts';

const transfers = 100;
let agent: Phone;
let stranger: Phone;
let hasty: Phone;

const at = useFollowed(async () => {
  agent = await at.phone(agentHz, { atOnce: 8 });
  stranger = await at.phone(strangerHz, { atOnce: transfers + 10 });
  hasty = await at.phone(strangerHz, { hangUpAfterMs: 1, atOnce: 8 });

  return {
    told: {
      hasty: [`Dial(${hasty.agent.dialString},20,g)`, 'NoOp(hasty goes on)', `Dial(${agent.agent.dialString},20)`],
      loop: ['Dial(Local/round@here,20)', 'NoOp(loop goes on)', `Dial(${agent.agent.dialString},20)`],
      thrown: [`Dial(${agent.agent.dialString},20)`],
    },
    lines: [
      `exten => stranger,1,Dial(${stranger.agent.dialString},20)`,
      ' same => n,Hangup()',
      '[here]',
      'exten => round,1,Dial(Local/round@there,20)',
      ' same => n,Hangup()',
      '[there]',
      'exten => round,1,Dial(Local/round@here,20)',
      ' same => n,Hangup()',
    ],
  };
});

/** Somebody answers and hangs up at once; the dialplan goes on to another, whom the caller did not call first. */
async function hungUpAtOnce(): Promise<void> {
  const { call, receiver } = await at.call('hasty');
  await hearing(receiver, agentHz);
  await call.hangUp();
  expect(at.rig.asterisk.logs()).toContain('hasty goes on');
  const { result, reason } = await endedCall(at.rig, 'hasty');
  // As much as there was of the first talk, if anything.
  expect(['recorded', 'recorder_failed', 'untold_party']).toContain(result === 'recorded' ? result : reason);
}

/** Local/ channels dial each other in a circle, which Asterisk ends (Max-Forwards). Who answers then is recorded. */
async function dialledInCircle(): Promise<void> {
  const { call, receiver } = await at.call('loop');
  await hearing(receiver, agentHz);
  await call.hangUp();
  expect(at.rig.asterisk.logs()).toContain('loop goes on');
  const { samples } = await at.soundOf('loop');
  expectPresent(samples, { [callerHz]: leastRecordedMs, [agentHz]: leastRecordedMs });
  expectAbsent(samples, [strangerHz]);
}

test('a destination that hangs up as it answers, and Local/ channels in a circle, keep no caller from the next', () =>
  at.onTime(['hasty', 'loop'], async () => {
    await Promise.all([hungUpAtOnce(), dialledInCircle()]);
    await expectNobodyConnected(at.rig);
  }));

test(`${transfers} blind transfers in one call leave it on, and nobody of them in the recording`, () =>
  at.onTime(['thrown'], async () => {
    const { call, receiver } = await at.recorded('thrown');
    let from = agent;
    for (let done = 0; done < transfers; done += 1) {
      const before = stranger.agent.answered();
      const dialog = dialogOf(from);
      // Asterisk accepts the first and forgets it where who asks is not in the bridge yet, just after they answered.
      await eventually(
        async () => {
          if (stranger.agent.answered() === before) await transfer(dialog, 'stranger');
          return await eventually(() => stranger.agent.answered() > before, { withinMs: 2_000 });
        },
        { everyMs: 100 },
      );
      from = stranger;
    }
    at.expectFrom(['thrown'], stranger.agent.calls(), transfers);
    await hearing(receiver, strangerHz);
    // They talk before Préavis has heard that they do.
    await eventually(async () => {
      expect((await catalogueCalls(at.rig)).find(({ line }) => line === 'thrown')).toMatchObject({ phase: 'talking' });
    });
    await call.hangUp();
    await at.expectEndedEarly('thrown');
    const { samples } = await at.soundOf('thrown');
    // But for 0.3 s before the first of them, which is silenced.
    expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
    expectAbsent(samples, [strangerHz]);
    await expectNobodyConnected(at.rig);
  }));
