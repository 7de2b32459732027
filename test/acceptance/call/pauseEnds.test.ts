/**
 * What ends a pause, and what does not: it is ended by who asks for it, or by its limit; not by the death of serve, nor by a transfer. Asked for
 * by a command, by a program, or by keys a hundred times a second, it is one pause.
 */
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { transfer } from '../../../lab/telephones/dialog.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav, sampleRate } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { makeSaid, pausedHz, pauseSentences, resumedHz, said, Talker } from '../../support/call/pausedTalk.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const lines = ['killed', 'fkilled', 'limited', 'pressed', 'handed', 'outgoing'] as const;
type Line = (typeof lines)[number];
const ways: Readonly<Record<Line, 'bridge' | 'follow' | 'outgoing'>> = {
  killed: 'bridge',
  fkilled: 'follow',
  limited: 'bridge',
  pressed: 'bridge',
  handed: 'follow',
  outgoing: 'outgoing',
};
const comerHz = 1_600;
const limitSeconds = 10;
const notice = useBriefNotice(2_000, pauseSentences);
const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let operator: Operator;

const at = useRig(async () => {
  for (const line of [...lines, 'second']) {
    const receiver = await at.keep(startRtpReceiver());
    agents.set(line, { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', receiver })) });
  }

  return {
    idle: true,
    lines: [
      ...lines.flatMap((line) => [...stepsOf(line), ' same => n,Hangup()']),
      `exten => second,1,Dial(${of('second').agent.dialString},20)`,
      ' same => n,Hangup()',
    ],
    config: {
      notice: notice.config(),
      staff: { extensions: ['agent', 'caller'] },
      recording: { unwatchedSeconds: 60 },
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          {
            purposes: ['training'],
            language: 'fr',
            defaultLanguages: ['fr'],
            newcomers: 'inside',
            internalCalls: 'record',
            ...(line === 'limited' ? { pauseSeconds: limitSeconds } : {}),
            ...(line === 'pressed' ? { codes: { pause: '*1', resume: '*2', pressedBy: 'both' } } : {}),
          },
        ]),
      ),
    },
  };
});

function stepsOf(line: Line): string[] {
  const { dialString } = of(line).agent;
  switch (ways[line]) {
    case 'follow':
      return [`exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`, ` same => n,Dial(${dialString},20)`];
    case 'bridge':
      return [`exten => ${line},1,Gosub(preavis,s,1(${dialString},20,line=${line}))`];
    case 'outgoing':
      return [`exten => ${line},1,Dial(${dialString},20,U(preavis-told^line=${line}))`];
  }
}

function of(line: string): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

const idOf = async (line: string): Promise<string> =>
  (await catalogueCalls(at.rig)).find((call) => call.line === line)?.id ?? '';

const pausesOf = async (line: string): Promise<string[]> =>
  (await catalogueChanges(at.rig, line)).map(({ change }) => change).filter((change) => change.startsWith('pause'));

/** Two who talk and are recorded. */
class Talk {
  readonly line: Line;
  readonly call: Call;
  readonly receiver: RtpReceiver;
  readonly #caller: Talker;
  readonly #agent: Talker;
  readonly #others: Talker[] = [];

  private constructor(line: Line, call: Call, receiver: RtpReceiver, talkers: [Talker, Talker]) {
    this.line = line;
    this.call = call;
    this.receiver = receiver;
    [this.#caller, this.#agent] = talkers;
  }

  static async begin(line: Line): Promise<Talk> {
    const receiver = await at.keep(startRtpReceiver());
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, receiver }));
    const talk = new Talk(line, call, receiver, [
      await at.keep(Talker.of(at.rig, receiver, said.caller.before)),
      await at.keep(Talker.of(at.rig, of(line).receiver, said.agent.before)),
    ]);
    await eventually(async () => {
      const id = await idOf(line);
      return (await catalogueRecordings(at.rig)).some(({ callId, startedAt }) => callId === id && startedAt !== null);
    });
    await talk.hears(receiver, said.agent.before, 2_000);

    return talk;
  }

  /** From now on both say what they say then. */
  async say(when: 'secret' | 'after'): Promise<void> {
    await Promise.all([this.#caller.say(said.caller[when]), this.#agent.say(said.agent[when])]);
  }

  async hears(receiver: RtpReceiver, hz: number, leastMs: number): Promise<void> {
    await eventually(() => presentMs(receiver.latest(leastMs + 500), hz) > leastMs * 0.8, { everyMs: 100 });
  }

  /** What is said from now on lasts so long, ms. */
  async lasts(ms: number): Promise<void> {
    const heard = this.receiver.samples().length;
    await eventually(() => this.receiver.samples().length > heard + (ms / 1_000) * sampleRate, { everyMs: 100 });
  }

  /** Somebody else, who is there until the end. */
  alsoStops(talker: Talker): void {
    this.#others.push(talker);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#caller, this.#agent, ...this.#others].map((each) => each.stop()));
    await this.call.hangUp().catch(() => undefined);
  }
}

type Outcome = { receipt: Receipt; samples: Int16Array };
const outcomes = new Map<Line, Promise<Outcome>>();

/** A talk that is paused, in which both say secrets, and that goes on. */
async function course(
  line: Line,
  pause: () => Promise<unknown>,
  resume: (talk: Talk) => Promise<unknown>,
): Promise<Outcome> {
  const talk = await Talk.begin(line);
  try {
    await pause();
    await eventually(async () => (await pausesOf(line)).includes('pauseBegan'));
    await talk.say('secret');
    await talk.lasts(1_500);
    await resume(talk);
    await talk.lasts(2_500);
  } finally {
    await talk.stop();
  }
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id, callId } = await finishedRecording(at.rig, line);
  const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', callId)).stdout));

  return { receipt, samples: readWav(spooledWav(at.rig, id)) };
}

const command = async (line: Line, task: 'pause' | 'resume') => at.rig.preavis('calls', task, await idOf(line));

const byProgram = (line: Line, name: string): Promise<unknown> =>
  operator.request('POST', `/events/user/${name}?application=preavis&source=channel:${operator.channelOf(line)}`);

const printed: string[] = [];

/** All keys so far, once Asterisk has told of none for three seconds: it gives each an eighth of a second, and the others wait. */
async function keysTold(): Promise<string> {
  const told = (): string =>
    operator.seen.flatMap(({ type, digit }) => (type === 'ChannelDtmfReceived' ? [digit] : [])).join('');
  let [last, since] = [told(), Date.now()];
  await eventually(
    () => {
      if (told() !== last) [last, since] = [told(), Date.now()];
      return Date.now() - since > 3_000;
    },
    { everyMs: 100 },
  );

  return last;
}

/** Serve dies in the pause, and another one takes its place. */
async function revive(): Promise<void> {
  await at.rig.killServe();
  await at.rig.startServe();
}

const dying = ['killed', 'fkilled'] as const;
/** Those of them that are paused. */
const paused = new Set<Line>();
let revived: Promise<void> | undefined;

/** Both lines whose serve dies have the same: it dies when both are paused. */
const resumeAfterDeath = (line: Line) => async (talk: Talk) => {
  paused.add(line);
  await eventually(() => dying.every((each) => paused.has(each)));
  revived ??= revive();
  await revived;
  // It has compared its calls by then, and they say secrets on.
  await talk.lasts(2_500);
  expect(await pausesOf(line)).toEqual(['pauseBegan']);
  await talk.say('after');
  await talk.lasts(700);
  await resumeByCommand(line);
};

async function resumeByCommand(line: Line): Promise<void> {
  const { code, stdout } = await command(line, 'resume');
  printed.push(`${code} ${stdout.trim()}`);
}

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await makeSaid(at.rig);
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
  const pauseByCommand = (line: Line) => async () => {
    const { code, stdout } = await command(line, 'pause');
    printed.push(`${code} ${stdout.trim()}`);
  };
  const run = (
    line: Line,
    pause: () => Promise<unknown>,
    resume: (talk: Talk) => Promise<unknown>,
  ): Promise<Outcome> => {
    const outcome = course(line, pause, resume);
    outcomes.set(line, outcome);
    return outcome;
  };
  await Promise.allSettled([
    run('killed', pauseByCommand('killed'), resumeAfterDeath('killed')),
    run('fkilled', pauseByCommand('fkilled'), resumeAfterDeath('fkilled')),
  ]);
  await Promise.allSettled([
    run(
      'limited',
      () => byProgram('limited', 'preavisPause'),
      async (talk) => {
        await talk.say('after');
        await eventually(async () => (await pausesOf('limited')).includes('pauseExpired'));
      },
    ),
    run('outgoing', pauseByCommand('outgoing'), async (talk) => {
      await talk.say('after');
      await talk.lasts(700);
      await resumeByCommand('outgoing');
    }),
    run(
      'handed',
      () => byProgram('handed', 'preavisPause'),
      async (talk) => {
        const dialog = of('handed').agent.dialogs().at(-1);
        if (dialog === undefined) throw new Error('the agent has no call');
        expect(await transfer(dialog, 'second')).toBe(202);
        const second = await at.keep(Talker.of(at.rig, of('second').receiver, comerHz));
        talk.alsoStops(second);
        await talk.hears(talk.receiver, comerHz, 2_000);
        expect(await pausesOf('handed')).toEqual(['pauseBegan']);
        await second.say(said.agent.after);
        await talk.say('after');
        await talk.hears(talk.receiver, said.agent.after, 700);
        await byProgram('handed', 'preavisResume');
        await eventually(async () => (await pausesOf('handed')).includes('pauseEnded'));
      },
    ),
    run(
      'pressed',
      async () => {
        // As fast as Asterisk takes them, and last of all a pause.
        for (let round = 0; round < 3; round += 1) {
          await Promise.all(
            Array.from({ length: 100 }, (_none, index) =>
              byProgram('pressed', index % 2 === 0 ? 'preavisPause' : 'preavisResume'),
            ),
          );
        }
        for (let index = 0; index < 20; index += 1) {
          for (const digit of '*2*1') await of('pressed').receiver.pressDigit(digit, 40);
        }
        // Of so many the last may be lost: then it is pressed once more.
        await eventually(async () => {
          if ((await keysTold()).endsWith('*1')) return true;
          for (const digit of '*1') await of('pressed').receiver.pressDigit(digit, 120);
          return false;
        });
        await eventually(async () => (await pausesOf('pressed')).at(-1) === 'pauseBegan');
      },
      async (talk) => {
        await talk.say('after');
        await talk.lasts(1_500);
        // A key may be lost behind so many: whoever hears nothing presses again.
        const press = async (): Promise<boolean> => {
          for (const digit of '*2') await of('pressed').receiver.pressDigit(digit, 120);
          // It is over for good, and not until a key that came late.
          await talk.lasts(2_000);
          return (await pausesOf('pressed')).at(-1) === 'pauseEnded';
        };
        await eventually(press, { everyMs: 500 });
      },
    ),
  ]);
  for (const outcome of outcomes.values()) await outcome;
  await expectNobodyConnected(at.rig);
});

async function outcomeOf(line: Line): Promise<Outcome> {
  const outcome = await outcomes.get(line);
  if (outcome === undefined) throw new Error(`no call by ${line}`);

  return outcome;
}

test.each(lines)('nothing of the pause of %s is in its file, and what was said after it is', async (line) => {
  const { samples, receipt } = await outcomeOf(line);
  const tones = [said.caller.secret, said.agent.secret, comerHz, pausedHz, resumedHz];
  expect(tones.map((hz) => [hz, presentMs(samples, hz, { share: 0.1 })])).toEqual(tones.map((hz) => [hz, 0]));
  for (const hz of [said.caller.after, said.agent.after]) expect(presentMs(samples, hz)).toBeGreaterThan(1_000);
  const pauses = receipt.changes.map(({ change }) => change).filter((change) => change.startsWith('pause'));
  expect(pauses.filter((_, index) => index % 2 === 0).every((change) => change === 'pauseBegan')).toBe(true);
  expect(pauses.at(-1)).toBe(line === 'limited' ? 'pauseExpired' : 'pauseEnded');
  if (line !== 'pressed') expect(pauses).toHaveLength(2);
});

test('the commands wait until serve has done it, and say so', () => {
  expect(printed.sort()).toEqual([
    '0 the recording goes on, or was not paused',
    '0 the recording goes on, or was not paused',
    '0 the recording goes on, or was not paused',
    '0 the recording is paused',
    '0 the recording is paused',
    '0 the recording is paused',
  ]);
});

test('a pause with a limit lasts as long, by the clock of Asterisk', async () => {
  const { changes } = (await outcomeOf('limited')).receipt;
  const timeOf = (wanted: string): number => Date.parse(changes.find(({ change }) => change === wanted)?.at ?? '');
  const lastedMs = timeOf('pauseExpired') - timeOf('pauseBegan');
  // Both hear that it goes on before it does.
  expect(lastedMs).toBeGreaterThan(limitSeconds * 1_000);
  expect(lastedMs).toBeLessThan(limitSeconds * 1_000 + 5_000);
});

test('keys and events a hundred times a second say one sentence after another, and none at once', async () => {
  const { otherSentences } = (await outcomeOf('pressed')).receipt;
  const times = otherSentences.map(({ startedAt, finishedAt }) => [
    Date.parse(startedAt ?? ''),
    Date.parse(finishedAt ?? ''),
  ]);
  expect(times.length).toBeGreaterThan(1);
  expect(times.length).toBeLessThan(40);
  const overlaps = times.filter(([from = 0], index) => index > 0 && from < (times[index - 1]?.[1] ?? 0));
  expect(overlaps).toEqual([]);
});

test('a command for a call that is over, or is none, says so and ends with an error', async () => {
  const over = await command('limited', 'pause');
  expect(over).toMatchObject({ code: 1 });
  expect(over.stderr).toContain('pause_not_done: nobody talks in this call now');
  expect((await at.rig.preavis('calls', 'resume', 'nobody')).stderr).toContain('call_unknown');
});
