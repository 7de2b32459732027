/**
 * Outgoing calls: who was called hears the notice when they answer, alone and in the language of their number, and only then talks with who
 * dialled. Both are recorded from their first sound on.
 */
import { join } from 'node:path';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { hold, resume } from '../../../../lab/telephones/dialog.ts';
import type { RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import type { Receipt } from '../../../../src/receipt/receipt.ts';
import { presentMs, readWav } from '../../../support/audio/audio.ts';
import {
  customerHz,
  employeeHz,
  hears,
  noticeHz,
  noticeMs,
  number,
  questionHz,
  refusedHz,
  silentHz,
  phoneBook,
  useOutgoing,
} from '../../../support/call/outgoingCalls.ts';
import { dialogOf, expectAbsent, type Phone } from '../../../support/call/followedCalls.ts';
import { talkedMs } from '../../../support/call/talked.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueNotices,
  catalogueRecordings,
  catalogueCalls,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
} from '../../../support/rig/rigs.ts';

const talkMs = 3_000;
/** What who was called sends before they answer, and for how long, ms. */
const earlyHz = 3_000;
const earlyMs = 2_500;
const lines = {
  fr: 'training',
  nl: 'training',
  yes: 'asked',
  no: 'refusable',
  silent: 'asked',
  both: 'training',
  inner: 'training',
  early: 'training',
  holds: 'training',
  stays: 'training',
} as const;
type Line = keyof typeof lines;
const phones = phoneBook<Line>();
const phoneOf = phones.of;

const at = useOutgoing(async () => {
  for (const line of Object.keys(lines) as Line[]) phones.set(line, await at.phone());
  const earlyTone = await continuousTone(earlyHz);
  const early = (): Promise<Phone> => at.phone(customerHz, { earlyTone, ringMs: earlyMs });
  phones.set('early', await early());
  const plain = await early();
  const busy = await at.phone(customerHz, { behaviour: 'busy' });
  const silent = await at.phone(customerHz, { behaviour: 'noAnswer' });
  const dial = (line: Line, options: string): string =>
    `Dial(${phoneOf(line).agent.dialString},20,${options}U(preavis-told^line=${line}))`;

  return {
    lines,
    dialplan: [
      // The number that was dialled is the one that was called.
      ...(['fr', 'nl'] as const).flatMap((line) => [
        `exten => ${number[line]},1,${dial(line, '')}`,
        ' same => n,Hangup()',
      ]),
      `exten => early,1,${dial('early', '')}`,
      ' same => n,Hangup()',
      `exten => plain,1,Dial(${plain.agent.dialString},20)`,
      ' same => n,Hangup()',
      ...(['yes', 'no', 'silent', 'holds', 'stays'] as const).flatMap((line) => [
        `exten => ${line},1,Dial(${phoneOf(line).agent.dialString},20,gU(preavis-told^line=${line}^to=${number.fr}))`,
        ` same => n,NoOp(${line} told: \${PREAVIS_CALLED_TOLD} \${PREAVIS_CALLED_REASON} \${DIALSTATUS})`,
        ' same => n,Hangup()',
      ]),
      `exten => both,1,Dial(${silent.agent.dialString}&${phoneOf('both').agent.dialString},20,U(preavis-told^line=both))`,
      ' same => n,Hangup()',
      'exten => inner,1,Dial(Local/behind@incoming,20)',
      ' same => n,Hangup()',
      `exten => behind,1,${dial('inner', '')}`,
      ' same => n,Hangup()',
      `exten => busy,1,Dial(${busy.agent.dialString},20,U(preavis-told^line=both))`,
      ' same => n,NoOp(busy told: ${PREAVIS_CALLED_TOLD} ${DIALSTATUS})',
      ' same => n,Hangup(${HANGUPCAUSE})',
    ],
  };
});

/** Asterisk writes its log in a thread of its own. */
const logged = (words: RegExp): Promise<void> =>
  eventually(() => {
    expect(at.rig.asterisk.logs()).toMatch(words);
  });

/** The receipt and the words for people say who was told, and a person finds the call by the number that was called. */
async function expectProof(line: Line): Promise<void> {
  const { rig } = at;
  const { id } = await endedCall(rig, line);
  expect(await rig.preavisJson<Receipt>('calls', 'receipt', id)).toMatchObject({
    call: { direction: 'outgoing' },
    told: { party: 'destination', how: 'onAnswer' },
  });
  const { stdout } = await rig.preavis('calls', 'show', id);
  expect(stdout).toMatch(/told +the called party, when they had answered/);
  expect(stdout).not.toMatch(/the caller/);
  if (line !== 'fr' && line !== 'nl') return;
  // Of a call that was placed in vain there is one already, which is not written over.
  const file = join(rig.folder, `${id}.zip`);
  const found = await rig.preavis('subject', 'export', '--number', number[line], '-o', file, '--json');
  expect((JSON.parse(found.stdout) as { calls: number }).calls).toBeGreaterThan(0);
}

/** Calls, and is told and recorded in this language. What the employee heard, and what was recorded. */
async function tell(
  line: Line,
  to: string,
  language: 'fr' | 'nl',
): Promise<{ employee: RtpReceiver; samples: Int16Array }> {
  const other = language === 'fr' ? 'nl' : 'fr';
  const { agent, receiver: customer } = phoneOf(line);
  const { call, receiver: employee } = await at.dial(to);
  await hears(customer, employeeHz, talkMs);
  await agent.endCall();
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  // The notice was for who was called, whole and in one language. Nobody was with them meanwhile.
  expect(presentMs(customer.samples(), noticeHz[language], { share: 0.7 })).toBeGreaterThan(noticeMs * 0.95);
  expectAbsent(customer.samples(), [noticeHz[other]]);
  // A sound that ends at once has a little of every frequency in its last window.
  const share = line === 'early' ? 0.1 : 0.02;
  const overheard = Object.values(noticeHz).map((hz) => presentMs(employee.samples(), hz, { share, windowMs: 40 }));
  expect(overheard).toEqual([0, 0]);
  expect(await endedCall(at.rig, line)).toMatchObject({
    result: 'recorded',
    direction: 'outgoing',
    languages: [language],
  });
  const notices = await catalogueNotices(at.rig, line);
  expect(notices.map(({ verdict, language: said }) => [verdict, said])).toEqual([['verified', language]]);
  await expectProof(line);
  const { id, startedAt, flags } = await finishedRecording(at.rig, line);
  expect(flags).toEqual([]);
  expect(startedAt).toBeGreaterThanOrEqual(notices.at(-1)?.finishedAt ?? Infinity);
  const samples = readWav(spooledWav(at.rig, id));
  expectAbsent(samples, [noticeHz.fr, noticeHz.nl]);
  // From the first sound of either to the last.
  for (const hz of [employeeHz, customerHz]) {
    expect(presentMs(samples, hz)).toBeGreaterThan(talkedMs(agent, startedAt) - 300);
    expect(presentMs(samples, hz)).toBeGreaterThan(talkMs - 300);
  }
  await expectNobodyConnected(at.rig);

  return { employee, samples };
}

test('who was called hears the notice alone in the language of their number, and both are recorded from then on', () =>
  at.onTime(['fr', 'nl'], async () => {
    await tell('fr', number.fr, 'fr');
    await tell('nl', number.nl, 'nl');
  }));

test('what who was called sends before they answer is heard as behind a plain Dial(), and is not recorded', () =>
  at.onTime('early', async () => {
    const plain = await at.dial('plain');
    await hears(plain.receiver, customerHz, 500);
    await plain.call.hangUp();
    const { employee, samples } = await tell('early', 'early', 'nl');
    const heard = [plain.receiver, employee].map((each) => presentMs(each.samples(), earlyHz, { share: 0.7 }));
    expect({ heard, lacking: heard.filter((ms) => ms < earlyMs - 500) }).toEqual({ heard, lacking: [] });
    expectAbsent(samples, [earlyHz]);
  }));

/** Puts us on hold in the notice, and is back when this resolves. */
async function backFromHold(line: Line, until: () => Promise<unknown>): Promise<void> {
  const { agent, receiver: customer } = phoneOf(line);
  const { call, receiver: employee } = await at.dial(line);
  await hears(customer, noticeHz.fr, 300);
  expect(await hold(dialogOf(phoneOf(line)), customer.port)).toBe(200);
  await until();
  expect(await resume(dialogOf(phoneOf(line)), customer.port)).toBe(200);
  await hears(customer, employeeHz, 1_000);
  await hears(employee, customerHz, 1_000);
  await agent.endCall();
  await call.ended;
  expectAbsent(employee.samples(), [noticeHz.fr]);
}

test('who was called and puts us on hold in the notice did not hear it: they talk unrecorded when they are back', () =>
  at.onTime(['holds', 'stays'], async () => {
    await backFromHold('holds', () => Promise.resolve());
    // Until the notice is over for long.
    await backFromHold('stays', () => endedCall(at.rig, 'stays'));
    for (const line of ['holds', 'stays'] as const) {
      expect(await endedCall(at.rig, line)).toMatchObject({ result: 'unrecorded', reason: 'notice_on_hold' });
      await logged(new RegExp(`${line} told: no notice_on_hold ANSWER`));
    }
    const calls = (await catalogueCalls(at.rig)).filter(({ line }) => line === 'holds' || line === 'stays');
    const recordings = await catalogueRecordings(at.rig);
    expect(recordings.filter(({ callId }) => calls.some(({ id }) => id === callId))).toEqual([]);
    await expectNobodyConnected(at.rig);
  }));

/** Presses this key while the notice plays, or none, and talks then. */
async function talkUnrecorded(line: Line, key: string | undefined, heardHz: number): Promise<void> {
  const { agent, receiver: customer } = phoneOf(line);
  const { call, receiver: employee } = await at.dial(line);
  await hears(customer, noticeHz.fr, 300);
  if (key !== undefined) await customer.pressDigit(key);
  await hears(customer, heardHz, 400);
  await hears(customer, employeeHz, 1_000);
  await hears(employee, customerHz, 1_000);
  await agent.endCall();
  await call.ended;
  expectAbsent(employee.samples(), [noticeHz.fr, heardHz]);
}

test('who was called and refuses, or does not say yes where they are asked, talks unrecorded', () =>
  at.onTime(['no', 'silent'], async () => {
    await talkUnrecorded('no', '9', refusedHz.fr);
    await talkUnrecorded('silent', undefined, silentHz.fr);
    expect(await endedCall(at.rig, 'no')).toMatchObject({ result: 'unrecorded', reason: 'refused' });
    expect(await endedCall(at.rig, 'silent')).toMatchObject({ result: 'unrecorded', reason: 'no_consent' });
    const calls = (await catalogueCalls(at.rig)).filter(({ line }) => line === 'no' || line === 'silent');
    const recordings = await catalogueRecordings(at.rig);
    expect(recordings.filter(({ callId }) => calls.some(({ id }) => id === callId))).toEqual([]);
    await logged(/no told: no refused ANSWER/);
    await logged(/silent told: no no_consent ANSWER/);
    await expectNobodyConnected(at.rig);
  }));

test('a yes of who was called is theirs, and they are recorded from then on', () =>
  at.onTime('yes', async () => {
    const { agent, receiver: customer } = phoneOf('yes');
    const { call } = await at.dial('yes');
    await hears(customer, noticeHz.fr, noticeMs * 0.9);
    await hears(customer, questionHz.fr, 100);
    await customer.pressDigit('1');
    await hears(customer, employeeHz, talkMs);
    await agent.endCall();
    await call.ended;
    expect(await endedCall(at.rig, 'yes')).toMatchObject({
      result: 'recorded',
      consent: { mode: 'optIn', answer: 'accepted', digits: '1' },
    });
    const samples = readWav(spooledWav(at.rig, (await finishedRecording(at.rig, 'yes')).id));
    for (const hz of [employeeHz, customerHz]) expect(presentMs(samples, hz)).toBeGreaterThan(talkMs - 300);
  }));

test('of several who are dialled at once the one who answers is told, and of one who is busy nobody', () =>
  at.onTime('both', async () => {
    const busy = await at.dial('busy');
    expect(await busy.call.ended).toMatchObject({ status: 'busy' });
    await logged(/busy told: {2}BUSY/);
    expect((await catalogueCalls(at.rig)).filter(({ line }) => line === 'both')).toEqual([]);
    await tell('both', 'both', 'nl');
  }));

test('who is dialled behind a Local/ channel is told by the Dial() there', () =>
  at.onTime('inner', async () => {
    await tell('inner', 'inner', 'nl');
  }));
