/**
 * Tell, then follow: a hold of either side is not recorded, nor the music that the other hears meanwhile, which Asterisk plays by itself in a
 * bridge of the dialplan. The talk before it is, and the talk after it.
 */
import { hold, resume } from '../../../../lab/telephones/dialog.ts';
import {
  agentHz,
  callerHz,
  dialogOf,
  expectNoMusic,
  expectPresent,
  hearing,
  leastRecordedMs,
  musicHz,
  useFollowed,
  type Phone,
} from '../../../support/call/followedCalls.ts';
import { catalogueChanges, endedCall, expectNobodyConnected } from '../../../support/rig/rigs.ts';

const lines = ['byagent', 'bycaller', 'byboth'] as const;
type Line = (typeof lines)[number];
const agents = new Map<Line, Phone>();

const at = useFollowed(async () => {
  for (const line of lines) agents.set(line, await at.phone(agentHz, { atOnce: 4 }));

  return { told: Object.fromEntries(lines.map((line) => [line, [`Dial(${of(line).agent.dialString},20)`]])) };
});

const of = (line: Line): Phone => {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
};

/** They talk, one holds for three seconds or each does, and they talk again. */
async function holdBy(line: Line): Promise<void> {
  const { call, receiver } = await at.recorded(line);
  const agent = of(line);
  const caller = { dialog: call.dialog(), receiver, hears: agentHz };
  const callee = { dialog: dialogOf(agent), receiver: agent.receiver, hears: callerHz };
  const holds = {
    byagent: [[callee, caller]],
    bycaller: [[caller, callee]],
    byboth: [
      [callee, caller],
      [caller, callee],
    ],
  } as const;
  for (const [who, other] of holds[line]) {
    expect(await hold(who.dialog, who.receiver.port)).toBe(200);
    await hearing(other.receiver, musicHz);
    expect(await resume(who.dialog, who.receiver.port)).toBe(200);
    await hearing(other.receiver, other.hears);
  }
  await call.hangUp();
  await endedCall(at.rig, line);
  const { samples, row } = await at.soundOf(line);
  expect({ line, flags: row.flags }).toEqual({ line, flags: [] });
  // Before the first hold and after each.
  const talks = holds[line].length + 1;
  expectPresent(samples, { [callerHz]: talks * leastRecordedMs, [agentHz]: talks * leastRecordedMs });
  expectNoMusic(samples);
  const changes = (await catalogueChanges(at.rig, line)).map(({ change }) => change);
  const each = ['held', 'recorderPaused', 'recorderResumed', 'resumed'];
  expect(changes.sort()).toEqual(holds[line].flatMap(() => each).sort());
}

test('a hold of either side is not recorded, nor its music, and the talk after it is', () =>
  at.onTime([...lines], async () => {
    await Promise.all(lines.map(holdBy));
    await expectNobodyConnected(at.rig);
  }));
