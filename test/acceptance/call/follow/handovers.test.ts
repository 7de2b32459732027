/**
 * Tell, then follow: somebody who was not told takes the place of one of the two, by a parking lot, an attended transfer or an INVITE with
 * Replaces, or comes into their conference. What was recorded until then is kept and finished; nothing of whoever came is in it (P1), and
 * those who are left talk on (P3).
 */
import { hold, replaces, transfer, transferAttended } from '../../../../lab/telephones/dialog.ts';
import { eventually } from '../../../support/poll.ts';
import {
  agentHz,
  callerHz,
  dialogOf,
  endpointConf,
  expectAbsent,
  expectNoMusic,
  expectPresent,
  hearing,
  lately,
  musicHz,
  strangerHz,
  useFollowed,
  viaEndpoint,
  type Phone,
} from '../../../support/call/followedCalls.ts';
import { endedCall, expectNobodyConnected } from '../../../support/rig/rigs.ts';

const agentLines = ['parked', 'parkedbyapp', 'inside', 'outside', 'bycaller', 'late', 'replaced'] as const;
type AgentLine = (typeof agentLines)[number];
const agents = new Map<AgentLine, Phone>();
let stranger: Phone;
let slow: Phone;

const at = useFollowed(async () => {
  for (const line of agentLines) agents.set(line, await at.phone(agentHz, { atOnce: 4 }));
  stranger = await at.phone(strangerHz, { atOnce: 8 });
  slow = await at.phone(agentHz, { ringMs: 6_000, atOnce: 4 });
  const dial = (line: AgentLine): [string, string[]] => [line, [`Dial(${of(line).agent.dialString},20)`]];

  return {
    told: {
      ...Object.fromEntries(agentLines.map(dial)),
      conference: ['ConfBridge(room,,quiet)'],
      ringing: [`Dial(${slow.agent.dialString},40)`],
    },
    lines: [
      'include => parkedcalls',
      'exten => park,1,Park(second)',
      ' same => n,Hangup()',
      'exten => room,1,ConfBridge(room,,quiet)',
      ' same => n,Hangup()',
      `exten => stranger,1,Dial(${stranger.agent.dialString},20)`,
      ' same => n,Hangup()',
      `exten => elsewhere,1,Dial(${viaEndpoint(stranger.agent, 'trunk')},20)`,
      ' same => n,Hangup()',
    ],
    conf: {
      'res_parking.conf': `[general]
[default]
parkext = 700
parkpos = 701-709
context = parkedcalls
[second]
parkext = 800
parkpos = 801-809
context = parkedcalls
`,
      'confbridge.conf': '[general]\n[quiet]\ntype = user\nquiet = yes\n',
      '+pjsip.conf': endpointConf('trunk', ['direct_media = no']),
    },
  };
});

const of = (line: AgentLine): Phone => {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
};

/** What the two said before is kept, and of nobody else there is anything. */
async function expectKept(line: string): Promise<void> {
  await at.expectEndedEarly(line);
  const { samples } = await at.soundOf(line);
  expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
  expectAbsent(samples, [strangerHz]);
  expectNoMusic(samples);
}

/** The agent parks the caller, who waits with music, unrecorded. Somebody else fetches them. */
async function parked(line: 'parked' | 'parkedbyapp', to: string, slot: string): Promise<void> {
  const { call, receiver } = await at.recorded(line);
  expect(await transfer(dialogOf(of(line)), to)).toBe(202);
  await hearing(receiver, musicHz, 1_500);
  const third = await at.call(slot, strangerHz);
  await hearing(receiver, strangerHz);
  await hearing(third.receiver, callerHz);
  await call.hangUp();
  await expectKept(line);
}

/** The agent asks somebody, while the caller waits, and connects the two. */
async function connectedByAgent(line: 'inside' | 'outside', extension: string): Promise<void> {
  const { call, receiver } = await at.recorded(line);
  const consultation = await at.call(extension, agentHz);
  await hearing(consultation.receiver, strangerHz, 500);
  expect(await hold(dialogOf(of(line)), of(line).receiver.port)).toBe(200);
  await hearing(receiver, musicHz, 500);
  expect(await transferAttended(dialogOf(of(line)), consultation.call.dialog())).toBe(202);
  await hearing(receiver, strangerHz);
  await call.hangUp();
  await expectKept(line);
}

/** The caller connects the agent with somebody whom they have called themselves, and is gone. */
async function connectedByCaller(): Promise<void> {
  const { call, receiver } = await at.recorded('bycaller');
  const consultation = await at.call('stranger');
  await hearing(consultation.receiver, strangerHz, 500);
  expect(await hold(call.dialog(), receiver.port)).toBe(200);
  expect(await transferAttended(call.dialog(), consultation.call.dialog())).toBe(202);
  await hearing(of('bycaller').receiver, strangerHz);
  await of('bycaller').agent.endCall();
  const { samples } = await at.soundOf('bycaller');
  expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
  expectAbsent(samples, [strangerHz]);
  expectNoMusic(samples);
}

test('of a caller who is parked, nothing is recorded while they wait, nor of who fetches them', () =>
  at.onTime(['parked', 'parkedbyapp'], async () => {
    await Promise.all([parked('parked', '700', '701'), parked('parkedbyapp', 'park', '801')]);
    await expectNobodyConnected(at.rig);
  }));

test('nobody is recorded to whom the agent or the caller connects the other by an attended transfer', () =>
  at.onTime(['inside', 'outside', 'bycaller'], async () => {
    await Promise.all([
      connectedByAgent('inside', 'stranger'),
      connectedByAgent('outside', 'elsewhere'),
      connectedByCaller(),
    ]);
    await expectNobodyConnected(at.rig);
  }));

test('nor who takes over by one while Préavis stands still: what a recorder got of them that was stopped late is silenced', () =>
  at.onTime(['late'], async () => {
    const { call, receiver } = await at.recorded('late');
    const consultation = await at.call('stranger', agentHz);
    await hearing(consultation.receiver, strangerHz, 500);
    const pid = at.rig.servePid();
    if (pid === undefined) throw new Error('serve does not run');
    process.kill(pid, 'SIGSTOP');
    try {
      // The caller does not wait on hold meanwhile, and is recorded.
      expect(await transferAttended(dialogOf(of('late')), consultation.call.dialog())).toBe(202);
      await hearing(receiver, strangerHz, 1_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await hearing(receiver, strangerHz);
    await call.hangUp();
    await expectKept('late');
    await expectNobodyConnected(at.rig);
  }));

/** Somebody takes the place of the caller, who talks. */
async function takenInTalk(): Promise<void> {
  const { call } = await at.recorded('replaced');
  const taker = await at.call('stranger', strangerHz, [`Replaces: ${replaces(call.dialog())}`]);
  await hearing(of('replaced').receiver, strangerHz);
  await hearing(taker.receiver, agentHz);
  await call.ended;
  await taker.call.hangUp();
  const { samples } = await at.soundOf('replaced');
  expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
  expectAbsent(samples, [strangerHz]);
}

/** Somebody takes the place of the caller, who hears it ring. Asterisk puts them into the caller's own channel (masquerade). */
async function takenWhileRinging(): Promise<void> {
  const before = slow.agent.calls();
  const { call } = await at.call('ringing');
  await eventually(() => slow.agent.calls() > before);
  const taker = await at.call('stranger', strangerHz, [`Replaces: ${replaces(call.dialog())}`]);
  await call.ended;
  await hearing(slow.receiver, strangerHz);
  await hearing(taker.receiver, agentHz);
  await taker.call.hangUp();
  expect(await endedCall(at.rig, 'ringing')).toMatchObject({ result: 'notConnected' });
  expect(await at.recordingOf('ringing')).toBeUndefined();
}

test('nobody is recorded who takes over the place of a caller by an INVITE with Replaces', () =>
  at.onTime(['replaced', 'ringing'], async () => {
    await Promise.all([takenInTalk(), takenWhileRinging()]);
    await expectNobodyConnected(at.rig);
  }));

test('of a conference, what two talk is recorded, and nothing once a third is there', () =>
  at.onTime(['conference'], async () => {
    const agent = await at.call('room', agentHz);
    await eventually(() => agent.call.isAnswered());
    const { call, receiver } = await at.recorded('conference');
    const third = await at.call('room', strangerHz);
    await eventually(() => lately(receiver, strangerHz, 0.2) > 2_000 && lately(third.receiver, agentHz, 0.2) > 2_000);
    await call.hangUp();
    await Promise.all([agent.call.hangUp(), third.call.hangUp()]);
    await at.expectEndedEarly('conference');
    const { samples } = await at.soundOf('conference');
    expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
    expectAbsent(samples, [strangerHz]);
    await expectNobodyConnected(at.rig);
  }));
