/**
 * A rig for `kill -9` at every fail point that is passed: by a recorded call, by a refusal, by an upload or an erasure. The fail points
 * are not listed anywhere: work that is not disturbed tells them.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose, type Rig } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call, type CallEnd } from '../../../lab/telephones/sip.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { presentMs } from '../audio/audio.ts';
import { eventually } from '../poll.ts';
import { toneWav } from '../policy/promptFolder.ts';
import { closePolled } from './rigCatalogue.ts';
import { catalogueCalls, catalogueRecordings, expectNobodyConnected, filesBelow, useRig } from './rigs.ts';
import { temporaryFolder } from '../temporaryFolder.ts';

export const agentHz = 1000;
export const callerHz = 440;
export const noticeHz = 700;
/** Somebody who was not told. */
export const strangerHz = 1600;

type Called = { end: CallEnd; heardAgentMs: number; heardStrangerMs: number };

/** What the two of a call do meanwhile. */
type Act = (what: { receiver: RtpReceiver; call: Call; isOver: () => boolean }) => Promise<void>;

/** What is left of a call in which serve was killed. */
type Survival = Called & {
  /** The recordings that were begun since. */
  fresh: RecordingRow[];
};

export type CrashRig = {
  readonly rig: Rig;
  rows(): Promise<RecordingRow[]>;
  /** What is in the archive, but for certificates of erasure. */
  objects(): string[];
  /** The fail points that are passed while this is done, each once, in their order. */
  failPointsOf(work: (trail: Record<string, string>) => Promise<unknown>): Promise<string[]>;
  /** A whole call that is recorded. */
  callThrough: () => Promise<Called>;
  /**
   * A whole call by the way `follow`: the caller and whom they called talk, and talk again in another bridge, and then the caller talks
   * with somebody who was not told.
   */
  followedCall: () => Promise<Called>;
  /** One talk by the way `follow`, which the caller ends. */
  briefFollowedCall: () => Promise<Called>;
  /** The same, over as soon as something was said. */
  briefCall: () => Promise<Called>;
  /** A caller who refuses as soon as the destination rings. */
  refusedCall: () => Promise<Called>;
  /**
   * Kills serve at each of these fail points, each time in a new call, and looks at what is left of it. The last fail point comes first:
   * the serve that takes up a call can then be the one to die in the next, as the call has that fail point behind it.
   */
  killAtEach(
    failPoints: readonly string[],
    call: () => Promise<Called>,
    look: (failPoint: string, survival: Survival) => Promise<void> | void,
  ): Promise<void>;
  /** Every file of spool and archive has its row, and every row its files; what is archived is what was recorded. */
  expectAllAgree(): Promise<void>;
};

/** A notice of one sentence, a second long, and what a caller who may refuse hears. */
function writeSounds(folder: string): void {
  mkdirSync(join(folder, 'en'), { recursive: true });
  for (const [index, name] of ['notice', 'notice-asked', 'opt-out', 'opt-out-ack', 'erased-ack'].entries()) {
    writeFileSync(join(folder, `en/${name}.wav`), toneWav(noticeHz + 50 * index, 1000));
  }
  writeFileSync(
    join(folder, 'prompts.yaml'),
    `languages: { en: { made: recording, voice: a tone } }
prompts:
  notice: { kind: whole, wording: is, purposes: [training], statesMaxDays: { training: 28 }, text: { en: This call is recorded. } }
  notice-asked: { kind: whole, wording: may, purposes: [asked], statesMaxDays: { asked: 28 }, text: { en: This call may be recorded. } }
  opt-out: { kind: optOut, keys: { refuse: '9' }, text: { en: 'If you do not wish that, press nine.' } }
  opt-out-ack: { kind: optOutAck, text: { en: It will not be recorded. } }
  erased-ack: { kind: erasedAck, text: { en: What was recorded is being erased. } }
`,
  );
}

/** How long the two of a whole call talk at least, and for how long of it serve runs at their end, ms. */
const talkMs = 2_000;
const watchedMs = 1_000;

/** The same for a followed call, each of its talks. */
const followedTalkMs = 1_200;

/** Looking into the catalogue costs more than to wait a little longer. */
const seldom = { everyMs: 100 };

export function useCrashRig(): CrashRig {
  const folder = temporaryFolder();
  const readyAgent = (): Agent => {
    if (ready === undefined) throw new Error('the rig is not there yet');

    return ready;
  };
  const sounds = (): string => folder.path('sounds');
  const trailFile = (): string => folder.path('trail');
  let ready: Agent | undefined;
  let patient: Agent | undefined;
  const at = useRig(async () => {
    writeSounds(sounds());
    const tone = await burstTone(agentHz);
    const agent = (ends: { ringMs: number; hangUpAfterMs?: number }): Promise<Agent> =>
      at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4, ...ends }));
    ready = await agent({ ringMs: 200 });
    const curt = await agent({ ringMs: 0, hangUpAfterMs: 1_500 });
    patient = await agent({ ringMs: 3_000, hangUpAfterMs: 2_000 });
    const stranger = await at.keep(
      startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 4, hangUpAfterMs: 1_000 }),
    );

    return {
      idle: true,
      lines: [
        `exten => 100,1,Gosub(preavis,s,1(${ready.dialString},20))`,
        ' same => n,Hangup()',
        `exten => 101,1,Gosub(preavis,s,1(${curt.dialString},20))`,
        ' same => n,Hangup()',
        `exten => 200,1,Gosub(preavis,s,1(${patient.dialString},20,line=asked))`,
        ' same => n,Hangup()',
        // The destination waits for the caller who leaves them, and hears them again.
        'exten => 300,1,Gosub(preavis-tell,s,1)',
        ` same => n,Dial(${ready.dialString},20,F(incoming^waiting^1))`,
        ' same => n,Hangup()',
        'exten => 301,1,Gosub(preavis-tell,s,1)',
        ` same => n,Dial(${ready.dialString},20)`,
        ' same => n,Hangup()',
        'exten => waiting,1,Set(GLOBAL(WAITING)=${CHANNEL})',
        ' same => n,Wait(60)',
        'exten => again,1,GotoIf($["${GLOBAL(WAITING)}" != ""]?there)',
        ' same => n,Wait(0.1)',
        ' same => n,Goto(again,1)',
        ' same => n(there),Set(OTHER=${GLOBAL(WAITING)})',
        ' same => n,Set(GLOBAL(WAITING)=)',
        ' same => n,Bridge(${OTHER})',
        ` same => n,Dial(${stranger.dialString},20)`,
        ' same => n,Hangup()',
      ],
      config: {
        notice: { soundsFolder: sounds(), languages: ['en'] },
        purposes: {
          training: labPurpose('lab', 'Calls of the lab are recorded in order to see what a crash leaves.', 0),
          asked: {
            ...labPurpose('lab', 'Calls of the lab are refused in order to see what a crash leaves.', 28),
            consent: 'optOut',
          },
          agreement: {
            ...labPurpose('lab', 'Nobody is recorded for this in these calls of the lab.', 28),
            kind: 'evidence',
          },
        },
        lines: {
          default: { purposes: ['training'], language: 'en', defaultLanguages: ['en'] },
          asked: { purposes: ['asked'], language: 'en', defaultLanguages: ['en'] },
        },
      },
    };
  });
  beforeAll(async () => {
    expect(await at.rig.preavis('prompts', 'install', '--to', at.rig.asterisk.soundsFolder)).toMatchObject({ code: 0 });
  });

  /** A whole call to this extension; what the two do meanwhile is `act`. */
  async function callTo(to: string, act: Act = () => Promise.resolve()): Promise<Called> {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver }));
    let isOver = false;
    const ended = call.ended.finally(() => {
      isOver = true;
    });
    // A call that is over before its act is what the test looks at.
    await Promise.race([act({ receiver, call, isOver: () => isOver }), ended]);
    const end = await call.ended;

    const heard = (hz: number): number => presentMs(receiver.samples(), hz, { share: 0.7 });

    return { end, heardAgentMs: heard(agentHz), heardStrangerMs: heard(strangerHz) };
  }

  const answered = async (to: string, act?: Act): Promise<Called> => {
    const called = await callTo(to, act);
    expect(called.end).toMatchObject({ status: 'answered' });

    return called;
  };

  const rows = (): Promise<RecordingRow[]> => catalogueRecordings(at.rig);
  const objects = (): string[] => filesBelow(at.rig.archiveFolder).filter((name) => !name.endsWith('.jws'));
  const isServing = (): boolean => at.rig.servePid() !== undefined;

  /** Nothing of the calls before is left to be done, so that serve dies in the next one. */
  const settled = (): Promise<unknown> =>
    eventually(async () => {
      const calls = await catalogueCalls(at.rig);
      const isDone = calls.every(({ phase, witness }) => phase === 'ended' && witness !== null);
      return isDone && (await rows()).every(({ status }) => status !== 'recording');
    }, seldom);

  /** undefined while it starts; 0 where a test has started it itself. */
  let servesSince: number | undefined = 0;
  async function start(trail?: Record<string, string>): Promise<void> {
    servesSince = undefined;
    await at.rig.startServe(trail);
    servesSince = performance.now();
  }

  const passed = (since: number, ms: number): boolean => performance.now() - since >= ms;
  const isWatched = (): boolean => isServing() && servesSince !== undefined && passed(servesSince, watchedMs);

  /** Whether two are in a bridge, as CLI tells; the name of the caller's channel. */
  const talkOf = async (): Promise<string | undefined> => {
    const channels = (await at.rig.asterisk.cli('core show channels concise'))
      .split('\n')
      .map((line) => line.split('!'));
    const caller = channels.find(([name]) => name?.startsWith('PJSIP/caller-') === true);
    const bridge = caller?.[12] ?? '';
    const members = channels.filter((fields) => fields[12] === bridge);

    return bridge !== '' && members.length > 1 ? caller?.[0] : undefined;
  };

  const talkBegins = (before: number, isOver: () => boolean): Promise<unknown> =>
    eventually(() => isOver() || readyAgent().answered() > before, { withinMs: 300_000 });

  /** Two talk for a while, some of it while serve runs; the name of the caller's channel. */
  async function talkLasts(isOver: () => boolean): Promise<string> {
    const seen = async (): Promise<string | false> => (isOver() ? 'nobody' : ((await talkOf()) ?? false));
    const channel = await eventually(seen, { withinMs: 300_000, everyMs: 100 });
    const since = performance.now();
    await eventually(() => isOver() || (passed(since, followedTalkMs) && isWatched()), { withinMs: 300_000 });

    return channel;
  }

  async function talkTwice(before: number, isOver: () => boolean): Promise<void> {
    await talkBegins(before, isOver);
    const channel = await talkLasts(isOver);
    await at.rig.asterisk.cli(`channel redirect ${channel} incoming,again,1`);
    await talkLasts(isOver);
    if (!isOver()) await readyAgent().endCall();
  }

  /**
   * The destination hangs up after each talk, but not while serve is dead: a serve that starts slowly would find nobody to record. There is
   * a second talk where the dialplan dials for a call that was interrupted.
   */
  async function talkThrough(before: number, isOver: () => boolean): Promise<void> {
    const destination = readyAgent();
    for (let talks = before; ;) {
      await eventually(() => isOver() || destination.answered() > talks, { withinMs: 300_000 });
      const answeredAt = performance.now();
      await eventually(() => isOver() || (passed(answeredAt, talkMs) && isWatched()), { withinMs: 300_000 });
      if (isOver()) return;
      talks = destination.answered();
      await destination.endCall();
    }
  }

  /** Serve runs and dies at this fail point. */
  async function arm(failPoint: string): Promise<void> {
    await at.rig.stopServe();
    await start({ PREAVIS_TEST_KILL_AT: failPoint });
  }

  /**
   * Serve takes up what the dead one left, and dies at this fail point: at once, perhaps, if that call comes by there again. Gives the
   * fail point where the serve that runs now will die.
   */
  async function takeUp(failPoint: string | undefined): Promise<string | undefined> {
    if (failPoint !== undefined) {
      try {
        await start({ PREAVIS_TEST_KILL_AT: failPoint });
        return failPoint;
      } catch (error) {
        if (isServing()) throw error;
      }
    }
    await start();

    return undefined;
  }

  const killAtEach: CrashRig['killAtEach'] = async (failPoints, call, look) => {
    const order = failPoints.toReversed();
    /** Where the serve that runs dies; undefined where it does not. */
    let armed: string | undefined;
    for (const [index, failPoint] of order.entries()) {
      try {
        const before = new Set((await rows()).map(({ id }) => id));
        // The serve that dies leaves its WAL to the next one.
        closePolled(at.rig);
        if (armed !== failPoint || !isServing()) await arm(failPoint);
        let isOver = false;
        const called = call().finally(() => {
          isOver = true;
        });
        called.catch(() => undefined);
        await eventually(() => !isServing());
        // What comes after a call is done for all calls there are: it must have no other to die of.
        const next = order[index + 1];
        armed = await takeUp(next?.startsWith('call ') === true ? next : undefined);
        const served = async (): Promise<void> => {
          if (isServing()) return;
          armed = undefined;
          await start();
        };
        await eventually(async () => {
          await served();
          return isOver;
        }, seldom);
        const survival = await called;
        await expectNobodyConnected(at.rig);
        await eventually(async () => {
          await served();
          return (await catalogueCalls(at.rig)).every(({ phase }) => phase === 'ended');
        }, seldom);
        if (next !== undefined && armed === undefined) await settled();
        await look(failPoint, { ...survival, fresh: (await rows()).filter(({ id }) => !before.has(id)) });
      } catch (error) {
        throw new Error(`killed at: ${failPoint}`, { cause: error });
      }
    }
    await at.rig.stopServe();
  };

  return {
    get rig() {
      return at.rig;
    },
    rows,
    objects,
    failPointsOf: async (work) => {
      rmSync(trailFile(), { force: true });
      await work({ PREAVIS_TEST_TRAIL: trailFile() });

      return [...new Set(readFileSync(trailFile(), 'utf8').trim().split('\n'))];
    },
    callThrough: () => {
      const before = readyAgent().answered();

      return answered('100', ({ isOver }) => talkThrough(before, isOver));
    },
    followedCall: () => {
      const before = readyAgent().answered();

      return answered('300', ({ isOver }) => talkTwice(before, isOver));
    },
    briefFollowedCall: () => {
      const before = readyAgent().answered();

      return answered('301', async ({ call, isOver }) => {
        await talkBegins(before, isOver);
        await talkLasts(isOver);
        if (!isOver()) await call.hangUp();
      });
    },
    briefCall: () => answered('101'),
    refusedCall: async () => {
      const ringing = patient;
      if (ringing === undefined) throw new Error('the rig is not there yet');
      const before = ringing.calls();
      const called = await callTo('200', async ({ receiver }) => {
        await eventually(() => ringing.calls() > before);
        await receiver.pressDigit('9');
      });
      expect(called.end).toMatchObject({ status: 'answered', endedBy: 'callee' });

      return called;
    },
    killAtEach,
    expectAllAgree: async () => {
      const all = await rows();
      const kept = (status: string): RecordingRow[] => all.filter((row) => row.status === status);
      expect(filesBelow(at.rig.asterisk.spoolFolder).sort()).toEqual(
        kept('recorded')
          .map(({ id }) => `preavis-${id}.wav`)
          .sort(),
      );
      expect(objects().sort()).toEqual(
        kept('archived')
          .flatMap(({ id }) => [`${id}.json`, `${id}.wav`])
          .sort(),
      );
      for (const { objectKey, sha256 } of kept('archived')) {
        const bytes = readFileSync(join(at.rig.archiveFolder, objectKey ?? ''));
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
      }
    },
  };
}
