/**
 * Outgoing calls in which somebody leaves while who was called hears the notice, or in which Préavis is not there, or hangs. Who is left talks, and
 * nobody waits for longer than docs/dialplan.md says; nothing is recorded then.
 */
import { transfer } from '../../../../lab/telephones/dialog.ts';
import { presentMs, readWav, tonePresence } from '../../../support/audio/audio.ts';
import {
  customerHz,
  employeeHz,
  hears,
  noticeHz,
  noticeMs,
  number,
  phoneBook,
  useOutgoing,
  type Dialled,
} from '../../../support/call/outgoingCalls.ts';
import { expectAbsent, lately, type Phone } from '../../../support/call/followedCalls.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
} from '../../../support/rig/rigs.ts';

/** docs/dialplan.md. */
const promisedMs = 8_000;
/** What Asterisk and the telephones take is not ours, ms. */
const slackMs = 700;
const colleagueHz = 1_600;
/** So much before somebody who comes is made silent (unwatchedSpans.ts), ms. */
const joinedMarginMs = 300;
const lines = ['leaves', 'left', 'down', 'killed', 'hangs', 'stopped', 'moved'] as const;
type Line = (typeof lines)[number];
const phones = phoneBook<Line>();
const phoneOf = phones.of;
let colleague: Phone;

const at = useOutgoing(async () => {
  for (const line of lines) phones.set(line, await at.phone());
  colleague = await at.phone(colleagueHz);

  return {
    lines: Object.fromEntries(lines.map((line) => [line, 'training' as const])),
    dialplan: [
      ...lines.flatMap((line) => [
        `exten => ${line},1,Dial(${phoneOf(line).agent.dialString},20,gU(preavis-told^line=${line}^to=${number.fr}))`,
        ` same => n,NoOp(${line} told: \${PREAVIS_CALLED_TOLD} \${PREAVIS_CALLED_REASON} \${DIALSTATUS})`,
        ' same => n,Hangup()',
      ]),
      `exten => colleague,1,Dial(${colleague.agent.dialString},20)`,
      ' same => n,Hangup()',
    ],
  };
});

const recordingsOf = async (line: Line) => {
  const calls = (await catalogueCalls(at.rig)).filter((each) => each.line === line);

  return (await catalogueRecordings(at.rig)).filter(({ callId }) => calls.some(({ id }) => id === callId));
};

/** When the other side hung up, in the call that was placed after `since`; Unix time in ms. */
const hungUpAt = (phone: Phone, since: number): Promise<number> =>
  eventually(
    () => phone.agent.events().findLast(({ name, at: when }) => name === 'byeReceived' && when > since)?.at ?? false,
  );

test('who was called may leave in the notice, and so may who dialled: nobody is left, and nothing is recorded', () =>
  at.onTime(['leaves', 'left'], async () => {
    const leaving = await at.dial('leaves');
    await hears(phoneOf('leaves').receiver, noticeHz.fr, 300);
    await phoneOf('leaves').agent.endCall();
    await leaving.call.ended;
    expect(await endedCall(at.rig, 'leaves')).toMatchObject({ result: 'abandoned' });
    const left = await at.dial('left');
    await hears(phoneOf('left').receiver, noticeHz.fr, 300);
    const before = Date.now();
    await left.call.hangUp();
    expect(await left.call.ended).toMatchObject({ status: 'cancelled' });
    // Who was called is not kept for the rest of the notice.
    expect((await hungUpAt(phoneOf('left'), before)) - before).toBeLessThan(noticeMs / 2);
    expect(await endedCall(at.rig, 'left')).toMatchObject({ result: 'abandoned' });
    for (const line of ['leaves', 'left'] as const) expect(await recordingsOf(line)).toEqual([]);
    await expectNobodyConnected(at.rig);
  }));

/** They talk, for a second at least, and end it. */
async function expectTalk(line: Line, { call, receiver }: Dialled): Promise<void> {
  await hears(phoneOf(line).receiver, employeeHz, 1_000);
  await hears(receiver, customerHz, 1_000);
  await phoneOf(line).agent.endCall();
  await call.ended;
  expectAbsent(receiver.samples(), [noticeHz.fr]);
}

/** From the answer of who was called to the first sound between the two, ms. */
const waited = (line: Line, { receiver }: Dialled): number => {
  const answeredAt =
    phoneOf(line)
      .agent.events()
      .findLast(({ name }) => name === 'answered')?.at ?? -Infinity;

  return (receiver.firstPacketAt() ?? Infinity) - answeredAt;
};

/** They are connected while Préavis stands still. */
async function whileStopped(connect: () => Promise<void>): Promise<void> {
  const pid = at.rig.servePid();
  if (pid === undefined) throw new Error('serve does not run');
  process.kill(pid, 'SIGSTOP');
  try {
    await connect();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Something becomes of Préavis in the notice, which plays on to its end; then they talk. */
async function expectKeptNoLonger(
  line: Line,
  meanwhile: (connect: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const dialled = await at.dial(line);
  await hears(phoneOf(line).receiver, noticeHz.fr, 300);
  await meanwhile(() => expectTalk(line, dialled));
  const heard = phoneOf(line).receiver.samples();
  expect(presentMs(heard, noticeHz.fr)).toBeGreaterThan(noticeMs * 0.95);
  // Préavis asks for the time of the notice right before it plays: what it took until then is not what is promised here.
  const [noticeAt = NaN, talkAt = NaN] = [noticeHz.fr, employeeHz].map((hz) => tonePresence(heard, hz)[0]?.startMs);
  expect(talkAt - noticeAt).toBeLessThan(noticeMs + promisedMs + slackMs);
}

test('where Préavis is down the two talk at once, and where it hangs after 8 s; killed in the notice it keeps nobody longer', () =>
  at.onTime(['down', 'hangs', 'stopped', 'killed'], async () => {
    await at.rig.stopServe();
    const down = await at.dial('down');
    await expectTalk('down', down);
    expect(waited('down', down)).toBeLessThan(1_500);
    await at.rig.startServe();
    await whileStopped(async () => {
      const hanging = await at.dial('hangs');
      await expectTalk('hangs', hanging);
      expect(waited('hangs', hanging)).toBeGreaterThan(promisedMs - slackMs);
      expect(waited('hangs', hanging)).toBeLessThan(promisedMs + slackMs);
    });
    await eventually(() => {
      expect(at.rig.asterisk.logs()).toMatch(/hangs told: no not_responding ANSWER/);
    });
    await expectKeptNoLonger('stopped', whileStopped);
    await expectKeptNoLonger('killed', async (connect) => {
      await at.rig.killServe();
      await connect();
    });
    await at.rig.startServe();
    // Of the last one nobody was there any more when Préavis came back.
    for (const [line, result] of [
      ['hangs', 'unrecorded'],
      ['stopped', 'unrecorded'],
      ['killed', 'abandoned'],
    ] as const) {
      expect(await endedCall(at.rig, line)).toMatchObject({ line, result });
      expect(await recordingsOf(line)).toEqual([]);
    }
    await expectNobodyConnected(at.rig);
  }));

test('who is transferred to a colleague afterwards talks on, and the recording ends with the employee', () =>
  at.onTime('moved', async () => {
    const { receiver: customer, agent } = phoneOf('moved');
    const { call } = await at.dial('moved');
    await hears(customer, employeeHz, 3_000);
    const transferredAt = Date.now();
    expect(await transfer(call.dialog(), 'colleague')).toBe(202);
    await eventually(() => lately(customer, colleagueHz) > 2_600);
    await agent.endCall();
    const ended = await endedCall(at.rig, 'moved');
    expect(ended).toMatchObject({ result: 'recorded' });
    const { id, startedAt, finishedAt } = await finishedRecording(at.rig, 'moved');
    const samples = readWav(spooledWav(at.rig, id));
    // Whole, but for what is silenced before the colleague: how soon a recorder starts is the matter of other tests.
    const wholeMs = transferredAt - (startedAt ?? 0) - joinedMarginMs;
    expect(wholeMs).toBeGreaterThan(2_000);
    for (const hz of [employeeHz, customerHz]) expect(presentMs(samples, hz)).toBeGreaterThan(wholeMs - 300);
    expectAbsent(samples, [colleagueHz, noticeHz.fr]);
    expect(finishedAt).toBeLessThan((ended.endedAt ?? 0) - 1_000);
    await expectNobodyConnected(at.rig);
  }));
