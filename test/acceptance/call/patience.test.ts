/**
 * P3 with a number: Préavis is stopped (SIGSTOP) in each state that a call passes until its destination is dialled. The caller hears
 * silence for so long at most, and then the destination, which the dialplan has dialled.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type CallOptions } from '../../../lab/telephones/sip.ts';
import { presentMs } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { StateMissed } from '../../support/rig/onTime.ts';
import { catalogueCalls, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** docs/dialplan.md. */
const promisedMs = 8_000;
/** What Asterisk and the telephones take is not ours, nor how late this process hears the first packet, ms. */
const slackMs = 1_000;
const agentHz = 1000;
const plainStates = ['planning', 'checking', 'answering', 'announcing', 'confirming', 'dialling'];
const askedStates = ['choosing', 'asking', 'accepting', 'acknowledging'];
const lines = ['trail', 'local', ...plainStates, ...askedStates];
const folder = temporaryFolder();
/** Each fail point that serve passes is in it at once; the log is written by another thread, and what it has is stopped with the rest. */
const trail = (): string => folder.path('trail');
const passed = (): string[] => readFileSync(trail(), 'utf8').trim().split('\n');
/** The key of French, while the second language is offered. */
const choice = { afterMs: 1_500, digit: '1' };
/** A withheld number, which says nothing about a language. */
const fromNumber = 'anonymous';

/** The sentences of calls that only hear a notice, and of those who choose and are asked: a second each. */
function writeSounds(): void {
  const names = ['notice', 'notice-asked', 'opt-in', 'opt-in-ack', 'opt-out-ack', 'no-answer', 'erased-ack', 'choose'];
  for (const language of ['fr', 'nl']) {
    mkdirSync(folder.path(language), { recursive: true });
    for (const [index, name] of names.entries()) {
      const hz = 600 + 40 * index + (language === 'nl' ? 20 : 0);
      writeFileSync(folder.path(`${language}/${name}.wav`), toneWav(hz, 1_000));
    }
  }
  const text = 'text: { fr: Une phrase., nl: Een zin. }';
  writeFileSync(
    folder.path('prompts.yaml'),
    `languages: { fr: { made: recording, voice: a tone }, nl: { made: recording, voice: a tone } }
prompts:
  notice: { kind: whole, wording: may, purposes: [training], statesMaxDays: { training: 28 }, ${text} }
  notice-asked: { kind: whole, wording: may, purposes: [asked], statesMaxDays: { asked: 28 }, ${text} }
  opt-in: { kind: optIn, keys: { accept: '1', refuse: '2' }, ${text} }
  opt-in-ack: { kind: optInAck, ${text} }
  opt-out-ack: { kind: optOutAck, ${text} }
  no-answer: { kind: noAnswer, ${text} }
  erased-ack: { kind: erasedAck, ${text} }
  choose: { kind: chooseLanguage, key: { fr: '1', nl: '2' }, ${text} }
`,
  );
}

const at = useRig(async () => {
  writeSounds();
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 1_500, atOnce: 6 }),
  );
  const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };
  const asked = { purposes: ['asked'], askLanguage: true, defaultLanguages: ['fr'] };

  return {
    idle: true,
    extensions: Object.fromEntries(lines.map((name) => [name, `${agent.dialString},20,line=${name}`])),
    lines: [
      'exten => h,1,NoOp(after: ${EXTEN} ${PREAVIS_RESULT} ${PREAVIS_REASON})',
      // A caller who is not a telephone.
      'exten => vialocal,1,Dial(Local/local@incoming/n,60)',
      ' same => n,Hangup()',
    ],
    config: {
      notice: { soundsFolder: folder.path(), languages: ['fr', 'nl'] },
      purposes: {
        asked: {
          ...labPurpose('asked', 'Callers of the lab are asked in order to see how long they wait.', 28),
          consent: 'optIn',
        },
      },
      lines: Object.fromEntries(lines.map((name) => [name, askedStates.includes(name) ? asked : line])),
    },
  };
});

beforeAll(async () => {
  expect(await at.rig.preavis('prompts', 'install', '--to', at.rig.asterisk.soundsFolder)).toMatchObject({ code: 0 });
});

/** A whole call, and the longest stretch in it without any sound, from the INVITE on, ms. */
async function call(
  to: string,
  { meanwhile, ...options }: Partial<CallOptions> & { meanwhile?: (receiver: RtpReceiver) => Promise<void> } = {},
): Promise<{ receiver: RtpReceiver; silenceMs: number }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(440);
  const placed = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to, fromNumber, tone, receiver, ...options }),
  );
  await meanwhile?.(receiver);
  const end = await placed.ended;
  expect({ to, ...end }).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const invitedAt = end.events.find(({ name }) => name === 'invited')?.at ?? 0;
  const beforeMs = (receiver.firstPacketAt() ?? Infinity) - invitedAt;

  return { receiver, silenceMs: Math.max(beforeMs, longestSilenceMs(receiver)) };
}

/** From the first packet on, ms. */
function longestSilenceMs(receiver: RtpReceiver): number {
  const samples = receiver.samples();
  const windowMs = 100;
  const step = windowMs * 8;
  let [longest, current] = [0, 0];
  for (let from = 0; from < samples.length; from += step) {
    const isLoud = samples.subarray(from, from + step).some((sample) => Math.abs(sample) > 500);
    current = isLoud ? 0 : current + windowMs;
    longest = Math.max(longest, current);
  }

  return longest;
}

/** Of a call that is not disturbed: the last fail point of each state that it passes, until its destination is dialled. */
async function lastFailPoints(line: string): Promise<Map<string, string>> {
  rmSync(trail(), { force: true });
  await at.rig.startServe({ PREAVIS_TEST_TRAIL: trail() });
  await call(line);
  await at.rig.stopServe();
  const failPoints = [...new Set(passed())];
  const end = failPoints.indexOf('call dialling, before dial');

  return new Map(
    failPoints.slice(0, end + 1).flatMap((failPoint) => {
      const state = /^call (\w+), /.exec(failPoint)?.[1];

      return state === undefined ? [] : [[state, failPoint] as const];
    }),
  );
}

/** The state that each call was in last, by its line, as far as its process has told. */
async function lastStates(): Promise<Map<string | undefined, unknown>> {
  const rows = await catalogueCalls(at.rig);
  const lineOf = new Map<unknown, string | undefined>(rows.map(({ id, line }) => [id, line ?? undefined]));
  const moves = at.rig.log().filter(({ msg }) => msg === 'call state changed');

  const last = new Map(moves.map((entry) => [lineOf.get(entry['call']), entry['to']]));

  return new Map([...last].filter(([, state]) => state !== 'ended'));
}

const reaches = (line: string, state: string): Promise<void> =>
  eventually(async () => {
    expect((await lastStates()).get(line)).toBe(state);
  });

/** What callers came to while `serve` was stopped at this fail point. */
const found: Record<string, number> = {};

async function whileStoppedAt(failPoint: string, callers: readonly string[], act: () => Promise<void>): Promise<void> {
  await at.onTime(callers, async () => {
    rmSync(trail(), { force: true });
    await at.rig.startServe({ PREAVIS_TEST_STOP_AT: failPoint, PREAVIS_TEST_TRAIL: trail() });
    try {
      await act();
      expect(passed().at(-1)).toBe(failPoint);
    } finally {
      await at.rig.killServe();
    }
  });
}

async function measured(line: string, to = line, options?: Parameters<typeof call>[1]): Promise<void> {
  const { receiver, silenceMs } = await call(to, options);
  expect(presentMs(receiver.samples(), agentHz, { share: 0.7 })).toBeGreaterThan(500);
  found[line] = Math.round(silenceMs);
}

const expectNoLongSilence = (callers: readonly string[]): void => {
  expect(Object.keys(found).filter((line) => callers.includes(line))).toHaveLength(callers.length);
  expect(Object.entries(found).filter(([, silenceMs]) => silenceMs > promisedMs + slackMs)).toEqual([]);
};

afterAll(() => {
  process.stderr.write(`the longest silences, ms: ${JSON.stringify(found)}\n`);
});

describe('a Préavis that hangs keeps a caller in silence for 8 s at most', () => {
  test('in each state of a call that is announced', async () => {
    const failPoints = await lastFailPoints('trail');
    expect([...failPoints.keys()]).toEqual(plainStates);
    for (const [state, failPoint] of failPoints) {
      const also = state === 'planning' ? ['local'] : [];
      await whileStoppedAt(failPoint, [state, ...also], async () => {
        await Promise.all([measured(state), ...also.map((line) => measured(line, 'vialocal'))]);
      });
    }
    expectNoLongSilence([...plainStates, 'local']);
  });

  test('in each state of a caller who chooses a language and is asked', async () => {
    // While the first is told that their silence is a no, one is asked and one chooses.
    const first = ['choosing', 'asking', 'acknowledging'];
    await whileStoppedAt('call acknowledging, all done', first, async () => {
      const silent = measured('acknowledging');
      await reaches('acknowledging', 'asking');
      await Promise.all([silent, measured('asking', 'asking', { digits: [choice] }), measured('choosing')]);
      const states = await lastStates();
      for (const line of ['choosing', 'asking'])
        if (states.get(line) !== line) throw new StateMissed(`${line} was ${String(states.get(line))}`);
    });
    await whileStoppedAt('call accepting, all done', ['accepting'], async () => {
      await measured('accepting', 'accepting', {
        digits: [choice],
        meanwhile: async (receiver) => {
          await reaches('accepting', 'asking');
          await receiver.pressDigit('1');
        },
      });
    });
    expectNoLongSilence([...first, 'accepting']);
  });

  afterEach(async () => {
    // The next process frees what had been made for the destination.
    await at.rig.startServe();
    await expectNobodyConnected(at.rig);
    await at.rig.stopServe();
    expect(at.rig.asterisk.logs()).toMatch(/unrecorded not_responding/);
  });
});
