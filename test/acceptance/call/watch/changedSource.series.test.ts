import { burstTone } from '../../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { dropsEarlierNumbers } from '../../../../src/ari/knownFaults.ts';
import { startRig, type Rig, type RigOptions } from '../../../../lab/rig.ts';
import { placeCall, startAgent, type Agent } from '../../../../lab/telephones/sip.ts';
import { presentMs } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { startOperator, type Operator } from '../../../support/call/operator.ts';
import { eventually } from '../../../support/poll.ts';
import { endedCall, useRig } from '../../../support/rig/rigs.ts';

/**
 * Two Asterisks of the kind that drops sound, in series, each with Préavis: to take a party out of a bridge and in again changes the source
 * of what the other Asterisk gets, which is a reason for that one to do the same. They come to rest since the parties talk and pause.
 */

const [agentHz, callerHz] = [1000, 440];
const line = 'series';
/** Talk detection takes 2.5 s to see that a party is silent. No turn is as long as a leg is left alone, or the turns would keep step with it. */
const turns = { caller: { onMs: 1_000, offMs: 2_600 }, agent: { onMs: 1_600, offMs: 3_600 } } as const;
/** Three of each leg between them, as a rule. */
const mostMoves = 8;
/** Longer than a leg is left alone after a move. */
const restMs = 9_000;

const turnMs = ({ onMs, offMs }: { onMs: number; offMs: number }): number => onMs + offMs;
/**
 * The agent's turns begin so much behind the caller's. With notices of a second they keep step with the moves: these then follow each other every five
 * seconds for as long as nobody talks otherwise.
 */
const noticeMs = 500;
const notice = useBriefNotice(noticeMs);
let agent: Agent;
let farReceiver: Awaited<ReturnType<typeof startRtpReceiver>>;
let far: Rig | undefined;

const optionsTo = (dialString: string): RigOptions => ({
  idle: true,
  extensions: { [line]: `${dialString},20,line=${line}` },
  config: {
    notice: notice.config(),
    lines: { [line]: { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] } },
  },
});

// Before the rig, which looks whether anything is left.
afterAll(async () => {
  await far?.stop();
});
const at = useRig(async () => {
  farReceiver = await at.keep(startRtpReceiver());
  agent = await at.keep(
    startAgent({
      behaviour: 'answer',
      tone: await burstTone(agentHz, turns.agent),
      ringMs: 200,
      receiver: farReceiver,
    }),
  );
  far = await startRig(optionsTo(agent.dialString));
  return optionsTo(`PJSIP/agent/sip:${line}@127.0.0.1:${far.asterisk.sipPort}`);
});

function farRig(): Rig {
  if (far === undefined) throw new Error('the far one is not there yet');

  return far;
}

beforeAll(async () => {
  for (const rig of [at.rig, farRig()]) {
    await notice.install(rig.asterisk.soundsFolder);
    await rig.startServe();
  }
});

/** How often each channel came into a bridge, of what was seen from there on: a call that was placed in vain has channels, too. */
function entries({ seen }: Operator, from: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type, channel } of seen.slice(from)) {
    if (type !== 'ChannelEnteredBridge' || !channel?.name.startsWith('PJSIP/')) continue;
    counts.set(channel.id, (counts.get(channel.id) ?? 0) + 1);
  }
  return counts;
}

test('move the legs between them until they come to rest, and let the parties hear each other', async () => {
  const operators = [await at.keep(startOperator(at.rig)), await at.keep(startOperator(farRig()))];
  await at.onTime(line, async () => {
    const watched = operators.map((operator) => ({ operator, from: operator.seen.length }));
    const receiver = await at.keep(startRtpReceiver());
    const call = await at.keep(
      placeCall({
        sipPort: at.rig.asterisk.sipPort,
        to: line,
        tone: await burstTone(callerHz, turns.caller),
        receiver,
      }),
    );
    const talk = (): Promise<boolean> =>
      eventually(
        () =>
          presentMs(receiver.latest(turnMs(turns.agent)), agentHz, { share: 0.2 }) > turns.agent.onMs * 0.9 &&
          presentMs(farReceiver.latest(turnMs(turns.caller)), callerHz, { share: 0.2 }) > turns.caller.onMs * 0.9,
        { everyMs: 100 },
      );
    await talk();
    // Each leg came in once; the way in of the one between them was a change to the other Asterisk.
    const moves = (): number[] =>
      watched.flatMap(({ operator, from }) => [...entries(operator, from).values()]).map((count) => count - 1);
    const sum = (): number => moves().reduce((total, each) => total + each, 0);
    const version = (await at.rig.asterisk.cli('core show version')).split(' ')[1] ?? '';
    if (dropsEarlierNumbers(version)) await eventually(() => sum() > 1, { everyMs: 100 });
    let [last, since] = [0, 0];
    await eventually(
      () => {
        if (sum() !== last) [last, since] = [sum(), performance.now()];
        return performance.now() - since > restMs;
      },
      { everyMs: 100, withinMs: 120_000 },
    );
    process.stderr.write(`moves of each leg: ${moves().join(', ')}\n`);
    for (const count of moves()) expect(count).toBeLessThanOrEqual(mostMoves);
    await talk();
    await call.hangUp();
    await endedCall(at.rig, line);
  });
});
