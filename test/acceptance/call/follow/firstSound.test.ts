/**
 * Tell, then follow: the first sound is not lost. The recorder starts within 10 ms of the moment when the second of the two is in the bridge,
 * by Asterisk's own times; on a machine that does many things at once, where Préavis waits for the processor, within 200 ms. Where endpoints
 * have direct media, Asterisk would send both telephones elsewhere with their sound just then.
 */
import { readFileSync } from 'node:fs';
import { bounds } from '../../../../lab/machine/lateness.ts';
import { eventually } from '../../../support/poll.ts';
import { presentMs, tonePresence } from '../../../support/audio/audio.ts';
import { firstSoundLackMs } from '../../../support/audio/sound.ts';
import {
  agentHz,
  asPhone,
  callerHz,
  endpointConf,
  hearing,
  useFollowed,
  viaEndpoint,
  type Phone,
} from '../../../support/call/followedCalls.ts';
import { talkedMs } from '../../../support/call/talked.ts';
import { expectNobodyConnected } from '../../../support/rig/rigs.ts';

/** From the later of the two entries to the start of the recorder, ms: of the quickest, and of each. */
const startLimitMs = 10;
const busyLimitMs = firstSoundLackMs;
/** The first four of them, and on a machine so busy that none of these was quick the others as well. */
const starts = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth'] as const;
const leastStarts = 4;
/** Until a telephone that has answered speaks, ms. */
const voiceMs = bounds.timer + bounds.packet;
const direct = endpointConf('direct', ['direct_media = yes']);

let agent: Phone;
let several: Phone;

const at = useFollowed(async () => {
  agent = await at.phone(agentHz, { atOnce: 4 });
  several = await at.phone(agentHz, { atOnce: 16, ringMs: 300 });

  return {
    told: {
      ...Object.fromEntries(
        starts.map((line) => [line, [`NoOp(${line} is \${UNIQUEID} )`, `Dial(${several.agent.dialString},20)`]]),
      ),
      told: ['NoOp(told is ${UNIQUEID} )', `Dial(${viaEndpoint(agent.agent, 'direct')},20)`],
    },
    lines: [`exten => plain,1,Dial(${viaEndpoint(agent.agent, 'direct')},20)`, ' same => n,Hangup()'],
    conf: { '+pjsip.conf': direct },
  };
});

type Entry = { at: number; channel: string; bridge: string };

/** Who came into which bridge, by Asterisk's CEL; ms. */
function entries(): Entry[] {
  const line = /^"BRIDGE_ENTER","(\d+\.\d+)","([^"]*)",".*?bridge_id"":""([^"]*)""/;

  return readFileSync(at.rig.asterisk.celFile, 'utf8')
    .split('\n')
    .flatMap((text) => {
      const [, seconds, channel = '', bridge = ''] = line.exec(text) ?? [];
      return seconds === undefined ? [] : [{ at: Number(seconds) * 1_000, channel, bridge }];
    });
}

/** From the later of the two entries of this call to the start of its recorder, ms. */
async function startedAfter(line: string): Promise<number> {
  const { row } = await at.soundOf(line);
  const channel = [...at.rig.asterisk.logs().matchAll(new RegExp(`"${line} is (\\S+) "`, 'g'))].at(-1)?.[1];
  const bridge = entries().findLast((each) => each.channel === channel)?.bridge;
  const came = entries().filter((each) => each.bridge === bridge);
  expect(came).toHaveLength(2);

  return (row.startedAt ?? 0) - Math.floor(Math.max(...came.map((each) => each.at)));
}

test('the recorder starts within 10 ms of the second entry into the bridge, and on a busy machine within 200', () =>
  at.onTime([...starts], async () => {
    const after: number[] = [];
    for (const line of starts) {
      if (after.length >= leastStarts && Math.min(...after) <= startLimitMs) break;
      const { call, receiver } = await at.call(line);
      await hearing(receiver, agentHz, 300);
      await call.hangUp();
      after.push(await startedAfter(line));
    }
    const [quickest, slowest] = [Math.min(...after), Math.max(...after)];
    expect({ after, isInTime: quickest >= 0 && quickest <= startLimitMs && slowest <= busyLimitMs }).toEqual({
      after,
      isInTime: true,
    });
  }));

test('with direct media the sound of a call that is followed stays in Asterisk, and its first sound is recorded', () =>
  at.onTime(['told'], async () => {
    // Those who are not followed send each other their sound directly.
    const plain = await at.call('plain', callerHz, [asPhone('direct')]);
    await eventually(() => plain.call.events().some(({ name }) => name === 'renegotiated'));
    await hearing(plain.receiver, agentHz, 1_000);
    await hearing(agent.receiver, callerHz, 1_000);
    await plain.call.hangUp();

    const { call, receiver } = await at.call('told', callerHz, [asPhone('direct')]);
    await hearing(receiver, agentHz);
    await call.hangUp();
    expect(call.events().filter(({ name }) => name === 'renegotiated')).toEqual([]);
    const { samples, row } = await at.soundOf('told');
    expect(await startedAfter('told')).toBeLessThanOrEqual(busyLimitMs);
    for (const hz of [callerHz, agentHz]) {
      expect(tonePresence(samples, hz)[0]?.startMs).toBeLessThanOrEqual(100 + voiceMs);
      expect(presentMs(samples, hz)).toBeGreaterThan(talkedMs(call, row.startedAt) - 150 - voiceMs);
    }
    // As long as the caller heard it.
    const heard = presentMs(receiver.samples(), agentHz, { share: 0.7 });
    expect(presentMs(samples, agentHz)).toBeGreaterThan(heard - busyLimitMs);
    await expectNobodyConnected(at.rig);
  }));
