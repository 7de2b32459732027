/**
 * A party that is a Local/ channel: who talks is behind it, in a bridge of the dialplan. Whoever comes there after the first was not
 * told, by whatever way they come. They talk on, and nothing more is recorded.
 */
import { readdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../../../lab/telephones/audio.ts';
import { hold, transfer, transferAttended } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { startAriProxy, type AriProxy } from '../../../support/ari/ariProxy.ts';
import { presentMs, readWav, sampleRate, tonePresence } from '../../../support/audio/audio.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const agentHz = 1000;
const callerHz = 440;
const dialToneHz = 425;
/** Whoever comes later: somebody who was told nothing. */
const strangerHz = 1600;
/** How much of them may be in the file: Asterisk tells when they are there, and what the recorder took until it stopped is made silence. */
const mostOfStrangerMs = 200;
/** Of a recording: one channel of 16 bits. */
const bytesInSecond = 2 * sampleRate;

const lines = [
  'blind',
  'attended',
  'feature',
  'again',
  'chain',
  'redirected',
  'restarted',
  'deaf',
  'vialocal',
  'unwatched',
  'parked',
] as const;
type Line = (typeof lines)[number];
/** What each destination dials behind its Local/ channel. */
const groups = {
  blind: (to: string) => `Dial(${to},20)`,
  attended: (to: string) => `Dial(${to},20)`,
  feature: (to: string) => `Dial(${to},20,t)`,
  again: () => 'Queue(again,c,,,20)',
  chain: () => 'Queue(chain,,,,20)',
  redirected: (to: string) => `Dial(${to},20)`,
  restarted: () => 'Queue(restarted,,,,20)',
  deaf: (to: string) => `Dial(${to},20)`,
  vialocal: undefined,
  unwatched: (to: string) => `Dial(${to},20)`,
  parked: (to: string) => `Dial(${to},20)`,
} as const satisfies Record<Line, ((to: string) => string) | undefined>;

const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let stranger: Agent;
let proxy: AriProxy;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  const tone = await burstTone(agentHz);
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    // Who has the call from a queue hangs up by themselves; then the queue gives it to the next.
    const ends = line === 'again' ? { hangUpAfterMs: 3_500 } : {};
    const numbers = line === 'deaf' ? { firstNumber: 1_000 } : {};
    const agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 8, receiver, ...ends, ...numbers }));
    agents.set(line, { receiver, agent });
  }
  // Numbers after those of whom they replace while nobody watches: Debian's Asterisk would drop lower ones, and nobody would hear them.
  const firstNumber = 20_000;
  stranger = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 20, firstNumber }),
  );
  const dialString = (line: Line): string => of(line).agent.dialString;
  const queue = (name: string, member: string): string =>
    `[${name}]\nmusicclass = default\nstrategy = ringall\ntimeout = 15\nmember => ${member}\n`;
  // To the queue a telephone that is not registered is unavailable, and is not called; an extension that exists is free.
  const telephone = (name: string, dialled: string): string => `${dialled},0,${name},Local/${name}@incoming`;

  return {
    idle: true,
    extensions: Object.fromEntries(
      lines.map((line) => [
        line,
        `${groups[line] === undefined ? dialString(line) : `Local/${line}@ring`},30,line=${line}`,
      ]),
    ),
    lines: [
      `exten => stranger,1,Dial(${stranger.dialString},20)`,
      ' same => n,Hangup()',
      'exten => 700,1,Goto(stranger,1)',
      'exten => waiting,1,Answer()',
      ' same => n,BridgeWait(lot)',
      ' same => n,Hangup()',
      // The caller is a Local/ channel.
      'exten => throughlocal,1,Dial(Local/vialocal@incoming/n,60)',
      ' same => n,Hangup()',
      '[ring]',
      ...lines.flatMap((line) => {
        const dials = groups[line];
        return dials === undefined ? [] : [`exten => ${line},1,${dials(dialString(line))}`];
      }),
      `exten => again,2,Queue(next,,,,20)`,
      '[agents]',
      `exten => chain,1,Dial(${dialString('chain')},20)`,
      `exten => restarted,1,Dial(${dialString('restarted')},20)`,
    ],
    conf: {
      'features.conf': '[general]\ntransferdigittimeout = 3\n[featuremap]\natxfer => *2\n',
      // With a file of its name the module is loaded.
      'app_queue.conf': '',
      'queues.conf': [
        '[general]\npersistentmembers = no\n',
        queue('again', telephone('again', dialString('again'))),
        queue('next', telephone('stranger', stranger.dialString)),
        queue('chain', 'Local/chain@agents/n'),
        // Asterisk takes this one out of the way when both ends are up.
        queue('restarted', 'Local/restarted@agents'),
      ].join('\n'),
    },
    config: {
      ari: { url: proxy.url },
      // Longer than a serve takes to start on any machine.
      recording: { unwatchedSeconds: 120 },
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'en', defaultLanguages: ['en'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await at.rig.startServe();
});

/** What Asterisk says before it takes keys for a transfer; it gives up without. */
beforeAll(() => {
  const folder = join(at.rig.asterisk.soundsFolder, 'en');
  for (const name of readdirSync(folder).filter((each) => each.startsWith('beep.'))) {
    const asked = (path: string): string => path.replace(/beep(\.\w+)$/, 'pbx-transfer$1');
    symlinkSync(asked(readlinkSync(join(folder, name))), join(folder, asked(name)));
  }
});

const of = (line: Line): { agent: Agent; receiver: RtpReceiver } => {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
};

const dialogOf = (line: Line) => {
  const dialog = of(line).agent.dialogs().at(-1);
  if (dialog === undefined) throw new Error(`the agent of ${line} has no call`);

  return dialog;
};

/** For how much of these samples a tone was there, alone; ms. */
const toneMs = (samples: Int16Array, hz: number): number => presentMs(samples, hz, { share: 0.7 });
/** `leastMs`: of the last three seconds. */
const hearing = (receiver: RtpReceiver, hz: number, leastMs = 1_300): Promise<unknown> =>
  eventually(() => toneMs(receiver.latest(3_000), hz) > leastMs, { everyMs: 200 });
/** So long that the end of the recorder and that of the call are seconds apart. */
const talkingWith = (receiver: RtpReceiver, hz: number): Promise<unknown> => hearing(receiver, hz, 2_600);

type Talk = { call: Call; receiver: RtpReceiver };

/** A call that is being recorded, and who calls hears the agent. */
async function recorded(line: Line, extension: string = line): Promise<Talk> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: extension, tone, receiver }));
  await eventually(async () => {
    const ours = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const row = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
    return row?.status === 'recording';
  });
  await hearing(receiver, agentHz);

  return { call, receiver };
}

/** Kept as far as it went, with both voices and nobody else's. */
async function expectKeptAlone(line: Line): Promise<Int16Array> {
  const call = await endedCall(at.rig, line);
  expect(call).toMatchObject({ result: 'recorded' });
  const { id, finishedAt } = await finishedRecording(at.rig, line);
  const samples = readWav(spooledWav(at.rig, id));
  for (const hz of [agentHz, callerHz]) expect(tonePresence(samples, hz)).not.toEqual([]);
  expect(presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 })).toBeLessThan(mostOfStrangerMs);
  // The recorder ended long before the call did.
  expect(finishedAt).toBeLessThan((call.endedAt ?? 0) - 1_000);
  const changes = (await catalogueChanges(at.rig, line)).map(({ change }) => change);
  expect(changes.some((change) => change === 'joined' || change === 'transferred')).toBe(true);

  return samples;
}

const spooledFile = async (line: Line): Promise<string | undefined> => {
  const ours = (await catalogueCalls(at.rig)).find((each) => each.line === line);
  const row = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
  return row === undefined ? undefined : spooledWav(at.rig, row.id);
};
const bytesOf = (file: string | undefined): number => (file === undefined ? 0 : statSync(file).size);
const spooledBytes = async (line: Line): Promise<number> => bytesOf(await spooledFile(line));

const blind = async (line: Line): Promise<void> => {
  expect(await transfer(dialogOf(line), 'stranger')).toBe(202);
};

/** How somebody else comes behind the destination's Local/ channel. */
const ways: Partial<Record<Line, () => Promise<unknown>>> = {
  blind: () => blind('blind'),
  attended: async () => {
    const { sipPort } = at.rig.asterisk;
    const [ears, tone] = [await at.keep(startRtpReceiver()), await continuousTone(agentHz)];
    const consultation = await at.keep(placeCall({ sipPort, to: 'stranger', tone, receiver: ears }));
    // An answer comes before the bridge, out of which Asterisk transfers.
    await hearing(ears, strangerHz, 300);
    expect(await hold(dialogOf('attended'), of('attended').receiver.port)).toBe(200);
    expect(await transferAttended(dialogOf('attended'), consultation.dialog())).toBe(202);
  },
  feature: async () => {
    const { receiver } = of('feature');
    for (const key of '*2') await receiver.pressDigit(key);
    // Asterisk asks where to.
    await eventually(() => toneMs(receiver.latest(1_000), dialToneHz) > 300);
    for (const key of '700') await receiver.pressDigit(key);
    await hearing(receiver, strangerHz);
    for (const key of '*2') await receiver.pressDigit(key);
  },
  // The first hangs up.
  again: () => Promise.resolve(),
  chain: () => blind('chain'),
  redirected: async () => {
    const half = (await at.rig.asterisk.channels()).find((name) => /^Local\/redirected@.*;2$/.test(name));
    await at.rig.asterisk.cli(`channel redirect ${half ?? ''} incoming,stranger,1`);
  },
};

const failures = new Map<string, unknown>();

/** Told by the tests of its own line. */
async function doing(line: Line, act: () => Promise<void>): Promise<void> {
  await at.onTime(line, act).catch((error: unknown) => failures.set(line, error));
}

beforeAll(async () => {
  const changed = Object.entries(ways).map(([line, act]) =>
    doing(line as Line, async () => {
      const talk = await recorded(line as Line);
      await act();
      await talkingWith(talk.receiver, strangerHz);
      await talk.call.hangUp();
    }),
  );
  const replaced = doing('vialocal', async () => {
    try {
      const { call } = await recorded('vialocal', 'throughlocal');
      expect(await transfer(call.dialog(), 'stranger')).toBe(202);
      const { receiver } = of('vialocal');
      await hearing(receiver, strangerHz);
      await call.hangUp();
      // They talk on, without who has transferred them.
      const before = receiver.samples().length;
      await eventually(() => receiver.samples().length > before + 24_000);
      expect(toneMs(receiver.latest(2_500), strangerHz)).toBeGreaterThan(2_000);
    } finally {
      // Who is left does not hang up, and would be heard in the next attempt. The others' calls go on.
      const left = (await at.rig.asterisk.channels()).filter((name) => name.startsWith('Local/vialocal@'));
      for (const name of left) await at.rig.asterisk.cli(`channel request hangup ${name}`);
    }
  });
  await Promise.all([...changed, replaced]);
});

describe('nothing more is recorded', () => {
  test.each([
    ['the agent behind the Local/ channel sends the caller on', 'blind'],
    ['that agent joins the caller with whom they have consulted', 'attended'],
    ['that agent transfers by keys that Asterisk knows', 'feature'],
    ['the queue gives the call to the next', 'again'],
    ['the agent is behind a second Local/ channel, of the queue', 'chain'],
    ['the far half is sent elsewhere', 'redirected'],
    ['the caller is a Local/ channel, and sends the agent to somebody', 'vialocal'],
  ] as const)('when %s', async (_, line) => {
    if (failures.has(line)) throw failures.get(line);
    await expectKeptAlone(line);
  });
});

/**
 * Nothing shows that nobody came behind a Local/ channel while nobody listened. So that is silence from a second before Asterisk's
 * last answer, which is at most one heartbeat old (4 s): they have talked for longer before.
 */
test('a serve that was started later stops recorders of others, and what nobody watched is silence', () =>
  at.onTime(['deaf', 'restarted'], async () => {
    const [deaf, restarted] = await Promise.all([recorded('deaf'), recorded('restarted')]);
    const grownTo = (line: Line, bytes: number) => eventually(async () => (await spooledBytes(line)) > bytes);
    await Promise.all([grownTo('deaf', 8 * bytesInSecond), grownTo('restarted', 8 * bytesInSecond)]);
    const files = { deaf: await spooledFile('deaf'), restarted: await spooledFile('restarted') };
    await at.rig.killServe();
    const killedAt = { deaf: bytesOf(files.deaf), restarted: bytesOf(files.restarted) };
    try {
      await blind('deaf');
      await hearing(deaf.receiver, strangerHz);
    } finally {
      await at.rig.startServe();
    }
    // Asterisk writes a recording about twice a second.
    let last = 0;
    await eventually(
      async () => {
        const bytes = await spooledBytes('deaf');
        const rests = bytes === last;
        last = bytes;
        return rests;
      },
      { everyMs: 1_500 },
    );
    await hearing(deaf.receiver, strangerHz);
    // Of the other the agent is still there, and that is no news.
    const watchedAt = await spooledBytes('restarted');
    // The last second before somebody is seen to come becomes silence as well.
    await grownTo('restarted', watchedAt + 3 * bytesInSecond);
    await blind('restarted');
    await talkingWith(restarted.receiver, strangerHz);
    await Promise.all([deaf.call.hangUp(), restarted.call.hangUp()]);
    const afterwards = (await expectKeptAlone('deaf')).subarray(killedAt.deaf / 2);
    expect(afterwards.length).toBeGreaterThan(sampleRate);
    expect(afterwards.every((sample) => sample === 0)).toBe(true);
    const samples = await expectKeptAlone('restarted');
    expect(samples.subarray(killedAt.restarted / 2, killedAt.restarted / 2 + sampleRate / 2)).toEqual(
      new Int16Array(sampleRate / 2),
    );
    expect(presentMs(samples.subarray(watchedAt / 2), callerHz)).toBeGreaterThan(1_000);
  }));

test('a call that is left waiting with others goes on being recorded, and nobody of them is in it', () =>
  at.onTime('parked', async () => {
    const { sipPort } = at.rig.asterisk;
    const other = await at.keep(placeCall({ sipPort, to: 'waiting', tone: await continuousTone(strangerHz) }));
    await eventually(() => other.isAnswered());
    const { call } = await recorded('parked');
    expect(await transfer(dialogOf('parked'), 'waiting')).toBe(202);
    const { ariUrl, ariUsername, ariPassword } = at.rig.asterisk;
    const authorization = `Basic ${Buffer.from(`${ariUsername}:${ariPassword}`).toString('base64')}`;
    await eventually(async () => {
      const answer = await fetch(`${ariUrl}/ari/bridges`, { headers: { authorization } });
      const bridges = (await answer.json()) as { bridge_type: string; channels: string[] }[];
      expect(bridges.filter((each) => each.bridge_type === 'holding').map((each) => each.channels.length)).toEqual([2]);
      return true;
    });
    // Longer than a call that is nowhere is left alone.
    const before = await spooledBytes('parked');
    await eventually(async () => (await spooledBytes('parked')) > before + 2 * bytesInSecond);
    expect(await catalogueChanges(at.rig, 'parked')).toEqual([]);
    await call.hangUp();
    await other.hangUp();
    expect(await endedCall(at.rig, 'parked')).toMatchObject({ result: 'recorded' });
    const { id } = await finishedRecording(at.rig, 'parked');
    expect(tonePresence(readWav(spooledWav(at.rig, id)), strangerHz)).toEqual([]);
  }));

test('where Asterisk does not tell of the bridges of others, a talk with a Local/ channel is not recorded', async () => {
  await at.rig.stopServe();
  // It is asked again for a while.
  proxy.refuse('/ari/applications/preavis/subscription', 100);
  await at.rig.startServe();
  await eventually(() => at.rig.log().some(({ msg }) => String(msg).startsWith('bridge events unavailable')));
  await at.onTime('unwatched', async () => {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'unwatched', tone, receiver }));
    await hearing(receiver, agentHz);
    await call.hangUp();
  });
  expect(await endedCall(at.rig, 'unwatched')).toMatchObject({ result: 'unrecorded', reason: 'untold_party' });
});

test('nobody is left', () => expectNobodyConnected(at.rig));
