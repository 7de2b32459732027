/**
 * What a telephone system does beside connecting two, as behind a plain Dial(): transfers by a feature code of `Dial()`, names and numbers on
 * the displays, the call detail record.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hold, pressByInfo, replaces, transfer } from '../../../lab/telephones/dialog.ts';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import type { Call } from '../../../lab/telephones/sip.ts';
import {
  agentHz,
  announcement,
  announcementHz,
  asPhone,
  callerHz,
  dialogOf,
  endpointConf,
  expectAbsent,
  expectNoMusic,
  expectPresent,
  followMeConf,
  hearing,
  lineConfig,
  musicHz,
  strangerHz,
  useFollowed,
  viaEndpoint,
  type Phone,
} from '../../support/call/followedCalls.ts';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs } from '../../support/audio/audio.ts';
import { noticeHz } from '../../support/call/briefNotice.ts';
import { allOver, eventually } from '../../support/poll.ts';
import { callRecordOf, callRecordsConf, callRecordsOf, makeCallRecordsFolder } from '../../support/rig/callRecords.ts';
import { catalogueCalls, endedCall, expectNobodyConnected, finishedRecording } from '../../support/rig/rigs.ts';

const agentLines = ['blind', 'blindbycaller', 'attended', 'inside', 'insideattended', 'tellattended'] as const;
/** What Préavis dials, and who comes in the end. */
const dialledLines = [
  'moved',
  'picked',
  'named',
  'reached',
  'replaced',
  'parked',
  'parkedatonce',
  'parkederased',
] as const;
const ways = ['plain', 'follow', 'bridge'] as const;
const shown = ['name', 'hidden'] as const;
const agents = new Map<string, Phone>();

const at = useFollowed(async () => {
  for (const line of agentLines) agents.set(line, await at.phone(agentHz));
  for (const kind of shown) for (const way of ways) agents.set(`${kind}${way}`, await at.phone(agentHz));
  for (const way of ways) agents.set(`cdr${way}`, await at.phone(agentHz));
  for (const line of ['replaced', 'parked', 'parkedatonce', 'parkederased']) agents.set(line, await at.phone(agentHz));
  // Behind the sounds of FollowMe(), whose numbers are 0: Debian's Asterisk would drop half of all others as late.
  agents.set('reached', await at.phone(agentHz, { firstNumber: 1_000 }));
  const nobody = await at.phone(strangerHz, { behaviour: 'noAnswer', atOnce: 8 });
  const away = await at.phone(strangerHz, { behaviour: 'forward', forwardTo: '320', atOnce: 4 });
  const elsewhere = await at.phone(agentHz, { atOnce: 4 });
  const stranger = await at.phone(strangerHz, { atOnce: 8 });
  agents.set('tellout', await at.phone(agentHz, { atOnce: 4 }));
  agents.set('out', await at.phone(strangerHz, { atOnce: 4 }));
  const dial = (line: string, options = ''): string[] => [`Dial(${of(line).agent.dialString},20,${options})`];
  const desk = (line: string): string => viaEndpoint(of(line).agent, 'desk');
  const keep = 'Set(CDR(userfield)=${PREAVIS_RECORDING})';

  return {
    told: {
      blind: dial('blind', 't'),
      blindbycaller: dial('blindbycaller', 'T'),
      attended: dial('attended', 't'),
      inside: dial('inside', 't'),
      insideattended: dial('insideattended', 't'),
      tellattended: dial('tellattended', 't'),
      tellout: dial('tellout'),
      namefollow: [`Dial(${desk('namefollow')},20)`],
      hiddenfollow: [`Dial(${desk('hiddenfollow')},20)`],
      cdrfollow: [keep, ...dial('cdrfollow')],
    },
    dialled: {
      namebridge: desk('namebridge'),
      hiddenbridge: desk('hiddenbridge'),
      cdrbridge: of('cdrbridge').agent.dialString,
      moved: away.agent.dialString,
      picked: viaEndpoint(nobody.agent, 'grouped'),
      named: nobody.agent.dialString,
      reached: 'Local/followme@ring',
      replaced: of('replaced').agent.dialString,
      parked: of('parked').agent.dialString,
      parkedatonce: of('parkedatonce').agent.dialString,
      parkederased: of('parkederased').agent.dialString,
    },
    before: { cdrbridge: ['Set(CHANNEL(hangup_handler_push)=keep,s,1)'] },
    lines: [
      ...shown.flatMap((kind) => [`exten => ${kind}plain,1,Dial(${desk(`${kind}plain`)},20)`, ' same => n,Hangup()']),
      `exten => cdrplain,1,Dial(${of('cdrplain').agent.dialString},20)`,
      ' same => n,Hangup()',
      `exten => 300,1,Dial(${stranger.agent.dialString},20)`,
      ' same => n,Hangup()',
      `exten => 310,1,Dial(${viaEndpoint(stranger.agent, 'desk')},20)`,
      ' same => n,Hangup()',
      `exten => 320,1,Dial(${elsewhere.agent.dialString},20)`,
      ' same => n,Hangup()',
      `exten => 330,1,Dial(${of('out').agent.dialString},20,U(preavis-told^line=out))`,
      ' same => n,Hangup()',
      'exten => takenamed,1,Pickup(named@incoming)',
      ' same => n,Hangup()',
      'include => parkedcalls',
      '[ring]',
      'exten => followme,1,FollowMe(reached,s)',
      `exten => reached,1,Dial(${of('reached').agent.dialString},20)`,
      '[keep]',
      `exten => s,1,${keep}`,
      ' same => n,Return()',
    ],
    conf: {
      'features.conf':
        '[general]\npickupexten = *8\nfeaturedigittimeout = 5000\ntransferdigittimeout = 10\n[featuremap]\nblindxfer = #1\natxfer = *2\n',
      ...callRecordsConf,
      ...followMeConf,
      'res_parking.conf': '[general]\n[default]\nparkext = 700\nparkpos = 701-709\ncontext = parkedcalls\n',
      '+pjsip.conf':
        endpointConf('desk', ['send_pai = yes', 'trust_id_outbound = no', 'callerid = Desk One <301>']) +
        endpointConf('grouped', ['call_group = 1']) +
        endpointConf('taker', ['pickup_group = 1']) +
        endpointConf('office', ['send_pai = yes', 'trust_id_inbound = yes', 'trust_id_outbound = yes']),
    },
    config: {
      staff: { extensions: ['desk'] },
      lines: {
        inside: { ...lineConfig, newcomers: 'inside' },
        insideattended: { ...lineConfig, newcomers: 'inside' },
        tellattended: { ...lineConfig, newcomers: 'tell' },
        tellout: { ...lineConfig, newcomers: 'tell' },
        out: lineConfig,
      },
    },
  };
});

function of(line: string): Phone {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
}

beforeAll(() => {
  const { soundsFolder } = at.rig.asterisk;
  // What Asterisk says to who transfers.
  const sound = readFileSync(join(soundsFolder, `${announcement}.alaw`));
  for (const name of ['pbx-transfer', 'beep']) writeFileSync(join(soundsFolder, `${name}.alaw`), sound);
  makeCallRecordsFolder(at.rig);
});

/** In the whole call. */
const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.samples(), hz, { share: 0.7 });

type Press = (keys: string) => Promise<void>;

/** By the agent of this line: SIP INFO. */
const byAgent =
  (line: string): Press =>
  async (keys) => {
    for (const key of keys) expect(await pressByInfo(dialogOf(of(line)), key)).toBe(200);
  };

/** By the caller: RFC 4733. */
const byCaller =
  (receiver: RtpReceiver): Press =>
  async (keys) => {
    for (const key of keys) await receiver.pressDigit(key);
  };

/** Somebody presses a code, is asked where to, and says it. */
async function sendOn(press: Press, asked: RtpReceiver, code: string, extension: string): Promise<void> {
  await press(code);
  await hearing(asked, announcementHz, 200);
  await press(extension);
}

/** What the two said before is kept, and of nobody else there is anything. */
async function expectKept(line: string): Promise<void> {
  const { samples } = await at.soundOf(line);
  expectPresent(samples, { [callerHz]: 2_000, [agentHz]: 2_000 });
  expectAbsent(samples, [strangerHz]);
  expectNoMusic(samples);
}

async function blind(): Promise<void> {
  const { call, receiver } = await at.recorded('blind');
  await sendOn(byAgent('blind'), of('blind').receiver, '#1', '300');
  await hearing(receiver, strangerHz);
  await call.hangUp();
  await at.expectEndedEarly('blind');
  await expectKept('blind');
}

async function blindByCaller(): Promise<void> {
  const { receiver } = await at.recorded('blindbycaller');
  await sendOn(byCaller(receiver), receiver, '#1', '300');
  await hearing(of('blindbycaller').receiver, strangerHz);
  await of('blindbycaller').agent.endCall();
  await expectKept('blindbycaller');
}

/** The agent asks who answers there first, while the caller hears music, and leaves. */
async function sentOnAsking(line: string, extension: string): Promise<{ call: Call; receiver: RtpReceiver }> {
  const { call, receiver } = await at.recorded(line);
  const { agent, receiver: agentReceiver } = of(line);
  await sendOn(byAgent(line), agentReceiver, '*2', extension);
  await hearing(agentReceiver, strangerHz, 1_000);
  await hearing(receiver, musicHz, 1_000);
  await agent.endCall();

  return { call, receiver };
}

async function attended(): Promise<void> {
  const { call, receiver } = await sentOnAsking('attended', '300');
  await hearing(receiver, strangerHz);
  await call.hangUp();
  await at.expectEndedEarly('attended');
  await expectKept('attended');
}

/** The stranger, for longer than is asked of the recording: Préavis goes on recording a little after they hear each other. */
const hearingLong = (receiver: RtpReceiver): Promise<unknown> =>
  eventually(() => heardMs(receiver, strangerHz) > 3_200, { everyMs: 100 });

/** To somebody of the house, on a line that goes on with them. */
async function inside(): Promise<void> {
  const { call, receiver } = await at.recorded('inside');
  await sendOn(byAgent('inside'), of('inside').receiver, '#1', '310');
  await hearingLong(receiver);
  await call.hangUp();
  await bothTalksOf('inside');
}

/** What was recorded with the agent, and with whoever came after them. */
async function bothTalksOf(line: string): Promise<Int16Array> {
  const { samples } = await at.soundOf(line);
  expectPresent(samples, { [callerHz]: 4_500, [agentHz]: 2_000, [strangerHz]: 2_500 });

  return samples;
}

/** Nothing is recorded while they ask. */
async function insideAttended(): Promise<void> {
  const { call, receiver } = await sentOnAsking('insideattended', '310');
  await hearingLong(receiver);
  await call.hangUp();
  expectNoMusic(await bothTalksOf('insideattended'));
}

/** To somebody else, on a line that tells them. */
async function tellAttended(): Promise<void> {
  const { call, receiver } = await sentOnAsking('tellattended', '300');
  await eventually(async () => {
    const { id } = (await catalogueCalls(at.rig)).find(({ line }) => line === 'tellattended') ?? {};
    return (await at.rig.preavis('calls', 'receipt', id ?? '')).stdout.includes('"newcomerTold"');
  });
  const before = receiver.samples().length;
  await eventually(() => receiver.samples().length > before + 24_000);
  await call.hangUp();
  await bothTalksOf('tellattended');
  const { id } = await endedCall(at.rig, 'tellattended');
  const { changes } = await at.rig.preavisJson<Receipt>('calls', 'receipt', id);
  const told = changes.filter(({ change }) => /told/i.test(change)).map(({ change }) => change);
  expect(told).toEqual(['newcomerTold', 'allTold']);
}

test('to who is reached by a feature code of Dial(), newcomers of the line apply, whoever of the two presses it', () =>
  at.onTime([...agentLines], async () => {
    await allOver([blind(), blindByCaller(), attended(), inside(), insideAttended(), tellAttended()]);
    await expectNobodyConnected(at.rig);
  }));

test('whoever is reached outside by a transfer, and has heard the notice when they answered, is not told again', () =>
  at.onTime(['tellout', 'out'], async () => {
    const { receiver } = of('out');
    const before = receiver.samples().length;
    const { call } = await at.recorded('tellout');
    expect(await transfer(dialogOf(of('tellout')), '330')).toBe(202);
    await eventually(() => presentMs(receiver.samples().slice(before), callerHz, { share: 0.7 }) > 4_000);
    await call.hangUp();
    const { samples, row } = await at.soundOf('tellout');
    expectPresent(samples, { [callerHz]: 5_000, [agentHz]: 2_000, [strangerHz]: 3_000 });
    // Once, before the talk.
    const told = presentMs(receiver.samples().slice(before), noticeHz, { share: 0.15 });
    expect({ told, isOnce: told > 1_800 && told < 2_300 }).toMatchObject({ isOnce: true });
    const { changes } = await at.rig.preavisJson<Receipt>('calls', 'receipt', row.callId);
    expect(changes.map(({ change }) => change)).not.toContain('newcomerTold');
    expect(await endedCall(at.rig, 'out')).toMatchObject({ result: 'recorded', direction: 'outgoing' });
    await expectNobodyConnected(at.rig);
  }));

/** Préavis dials; what the operator's own dialplan would do is done behind it. */
const behindBridge: Readonly<Record<(typeof dialledLines)[number], () => Promise<void>>> = {
  // Dial() goes where the telephone says, and Préavis does not.
  moved: async () => {
    const { call, receiver } = await at.call('moved');
    await hearing(receiver, agentHz);
    await call.hangUp();
    expect(await endedCall(at.rig, 'moved')).toMatchObject({ result: 'unrecorded', reason: 'dial_failed' });
    expect(await at.recordingOf('moved')).toBeUndefined();
  },
  picked: async () => {
    const { receiver } = await at.call('picked');
    await eventually(async () =>
      /^PJSIP\/grouped-.*!Ringing!/m.test(await at.rig.asterisk.cli('core show channels concise')),
    );
    const taker = await at.call('*8', agentHz, [asPhone('taker')]);
    await hearing(receiver, agentHz);
    await hearing(taker.receiver, callerHz);
    await taker.call.hangUp();
    expect(await endedCall(at.rig, 'picked')).toMatchObject({ result: 'unrecorded', reason: 'untold_party' });
    expect(await at.recordingOf('picked')).toBeUndefined();
  },
  replaced: async () => {
    const { call } = await at.recorded('replaced');
    const taker = await at.call('300', strangerHz, [`Replaces: ${replaces(call.dialog())}`]);
    await hearing(of('replaced').receiver, strangerHz);
    await hearing(taker.receiver, agentHz);
    await call.ended;
    await taker.call.hangUp();
    await expectKept('replaced');
  },
  // Asterisk parks nobody out of a bridge of an application, and Préavis does: also where the telephone does not hang up.
  parked: async () => {
    const { call, receiver } = await at.recorded('parked');
    const { agent, receiver: agentReceiver } = of('parked');
    expect(await hold(dialogOf(of('parked')), agentReceiver.port)).toBe(200);
    await hearing(receiver, musicHz, 1_000);
    expect(await transfer(dialogOf(of('parked')), '700')).toBe(202);
    await hearing(receiver, musicHz);
    const shown = await at.rig.asterisk.cli('parking show default');
    const taker = await at.call(/Space\s*:\s*(70\d)/.exec(shown)?.[1] ?? shown, strangerHz);
    await hearing(receiver, strangerHz);
    await hearing(taker.receiver, callerHz);
    await taker.call.hangUp();
    expect(await call.ended).toMatchObject({ endedBy: 'callee' });
    // Behind a transfer Asterisk leaves it to the telephone for a minute.
    await agent.endCall();
    await expectKept('parked');
  },
  parkedatonce: async () => {
    const { call, receiver } = await at.recorded('parkedatonce');
    expect(await transfer(dialogOf(of('parkedatonce')), '700')).toBe(202);
    await of('parkedatonce').agent.endCall();
    await hearing(receiver, musicHz);
    await call.hangUp();
    await expectKept('parkedatonce');
  },
  // Out of a bridge without a recorder Asterisk parks the caller by itself.
  parkederased: async () => {
    const { call, receiver } = await at.recorded('parkederased');
    const { id } = (await catalogueCalls(at.rig)).find(({ line }) => line === 'parkederased') ?? {};
    expect(await at.rig.preavis('calls', 'erase', id ?? '')).toMatchObject({ code: 0 });
    expect(await transfer(dialogOf(of('parkederased')), '700')).toBe(202);
    await of('parkederased').agent.endCall();
    await hearing(receiver, musicHz);
    await call.hangUp();
    expect(await at.recordingOf('parkederased')).toMatchObject({ status: 'discarded' });
  },
  // FollowMe() answers at once, and so the recording begins with what the caller hears of it.
  reached: async () => {
    const { receiver: agentReceiver } = of('reached');
    const { call, receiver } = await at.call('reached');
    await eventually(() => presentMs(agentReceiver.samples(), announcementHz, { share: 0.7 }) > 1_000);
    await eventually(
      async () => {
        expect(await pressByInfo(dialogOf(of('reached')), '1')).toBe(200);
        return presentMs(receiver.samples(), agentHz, { share: 0.7 }) > 0;
      },
      { everyMs: 1_000 },
    );
    await hearing(receiver, agentHz);
    await call.hangUp();
    const { samples } = await at.soundOf('reached');
    expectPresent(samples, { [callerHz]: 3_000, [agentHz]: 2_500, [announcementHz]: 300 });
  },
  // What Préavis dials has no extension by which Pickup() would find it.
  named: async () => {
    const { call } = await at.call('named');
    await eventually(() => call.events().some(({ name }) => name === 'answered'));
    await eventually(async () =>
      /^PJSIP\/agent-.*!Ringing!/m.test(await at.rig.asterisk.cli('core show channels concise')),
    );
    const taker = await at.call('takenamed', agentHz);
    expect(await taker.call.ended).toMatchObject({ status: 'failed' });
    await call.hangUp();
    expect(await endedCall(at.rig, 'named')).toMatchObject({ result: 'abandoned' });
    expect(await at.recordingOf('named')).toBeUndefined();
  },
};

test('whom Préavis dials: who is reached by a 302, by a pickup or in a parking lot talks unrecorded, and nobody is recorded who takes the place of a caller', () =>
  at.onTime([...dialledLines], async () => {
    // One after the other: a place in the lot is known by its number alone.
    const parked = behindBridge.parked().then(behindBridge.parkedatonce).then(behindBridge.parkederased);
    const others = dialledLines.filter((line) => !line.startsWith('parked'));
    await allOver([parked, ...others.map((line) => behindBridge[line]())]);
    await expectNobodyConnected(at.rig);
  }));

/** What the display of the agent shows of the caller, and that of the caller of the agent. */
async function displays(kind: (typeof shown)[number], way: (typeof ways)[number]) {
  const line = `${kind}${way}`;
  const headers = [asPhone('office'), ...(kind === 'hidden' ? ['Privacy: id'] : [])];
  const asserted = 'P-Asserted-Identity: "Ann Exemple" <sip:+3225550111@127.0.0.1>';
  const { agent } = of(line);
  // Of a call that was placed in vain.
  const [callers, parties] = [agent.callers().length, agent.parties().length];
  const { call, receiver } = await at.call(line, callerHz, [...headers, asserted], {
    fromNumber: '+3225550111',
    fromName: 'Ann Exemple',
  });
  await hearing(receiver, agentHz, 1_000);
  const [from = ''] = agent.callers().slice(callers);
  const [party = ''] = agent.parties().slice(parties);
  const callerSees = await eventually(() => call.parties().findLast((each) => each.includes('Desk One')) ?? false);
  await call.hangUp();

  return { from: from.replace(/;tag=.*/, ''), party, callerSees };
}

test.each(shown)('agent and caller see each other as behind a plain Dial(): %s', (kind) =>
  at.onTime(
    ways.filter((way) => way !== 'plain').map((way) => `${kind}${way}`),
    async () => {
      const [plain, follow, bridge] = await Promise.all(ways.map((way) => displays(kind, way)));
      expect({ follow, bridge }).toEqual({ follow: plain, bridge: plain });
      expect(plain?.from).toContain(kind === 'hidden' ? 'anonymous' : '"Ann Exemple" <sip:+3225550111@');
      expect(plain?.callerSees).toContain('"Desk One" <sip:301@');
    },
  ),
);

test('the call detail record has whom the caller talked with, the notice in its billsec, and the id of the recording', () =>
  at.onTime(['cdrfollow', 'cdrbridge'], async () => {
    const records = await Promise.all(
      ways.map(async (way) => {
        const before = callRecordsOf(at.rig, `cdr${way}`);
        const { call, receiver } = await at.call(`cdr${way}`);
        await hearing(receiver, agentHz);
        await call.hangUp();
        await call.ended;
        const { billsec, ...record } = await callRecordOf(at.rig, `cdr${way}`, before);
        return { ...record, beforeTalk: billsec - heardMs(receiver, agentHz) / 1_000 };
      }),
    );
    for (const each of records) {
      expect(each).toMatchObject({ disposition: 'ANSWERED' });
      expect(each.to).toMatch(/^PJSIP\/agent-/);
    }
    const [plain, follow, bridge] = records;
    const ids = await Promise.all(
      (['cdrfollow', 'cdrbridge'] as const).map(async (line) => {
        await endedCall(at.rig, line);
        return (await finishedRecording(at.rig, line)).id;
      }),
    );
    expect([plain?.userField, follow?.userField, bridge?.userField]).toEqual(['', ...ids]);
    // The notice lasts two seconds. How long each talks is another matter: the test hangs up when it comes to it.
    expect(plain?.beforeTalk).toBeLessThan(1.5);
    for (const each of [follow, bridge]) expect(each?.beforeTalk).toBeGreaterThan(1.5);
  }));
