/**
 * Clocks that are wrong, Asterisk's, ours or both, and clocks that are set while a call is on: nothing is erased early without a human,
 * nothing is kept longer than that human is asked, and the receipt says so.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { startAriProxy, type AriProxy } from '../../support/ari/ariProxy.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { StateMissed } from '../../support/rig/onTime.ts';
import { startOperator, timeOf, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import {
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  useRig,
  type RigInUse,
} from '../../support/rig/rigs.ts';

const dayMs = 86_400_000;
/** Between the beginning of a file and the step of a clock: half a second. */
const packetsBetween = 25;
const talkMs = 3_000;
const keepMs = 28 * dayMs;
/** Between the end of a talk and the look at it. */
const soonMs = 120_000;

type Doubts = { doubts: { recording: string; keptFrom: string; witnesses: Record<string, string> }[] };
type Pass = { due: number; erased: number; doubtful: number };
type Checks = { checks: { check: string; warning?: string }[] };

async function destination(at: RigInUse, lines: readonly string[]): Promise<Agent> {
  return at.keep(startAgent({ behaviour: 'answer', ringMs: 1_000, hangUpAfterMs: talkMs, atOnce: lines.length }));
}

const extensionsTo = ({ dialString }: Agent, lines: readonly string[]): Record<string, string> =>
  Object.fromEntries(lines.map((line) => [line, `${dialString},20,line=${line}`]));

const linesOf = (lines: readonly string[]) =>
  Object.fromEntries(lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]));

/** A whole call, without anything of it being measured. */
async function call(at: RigInUse, line: string, receiver?: RtpReceiver): Promise<void> {
  const tone = await continuousTone(440);
  const placed = placeCall({
    sipPort: at.rig.asterisk.sipPort,
    to: line,
    tone,
    ...(receiver === undefined ? {} : { receiver }),
  });
  expect(await (await at.keep(placed)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
}

const flagsInReceipt = async (at: RigInUse, line: string): Promise<string[]> => {
  const { id } = await endedCall(at.rig, line);
  const receipt = await at.rig.preavisJson<{ recording: { flags: string[] } }>('calls', 'receipt', id);

  return receipt.recording.flags;
};

/** Kept as long as the caller was told, from when it really ended. */
async function expectKeptFromNow(at: RigInUse, line: string): Promise<void> {
  const { keepUntil } = await finishedRecording(at.rig, line);
  expect(Math.abs((keepUntil ?? 0) - Date.now() - keepMs)).toBeLessThan(soonMs);
}

const doubtful = async (at: RigInUse): Promise<string[]> =>
  (await at.rig.preavisJson<Doubts>('recordings', 'doubts')).doubts.map(({ recording }) => recording);

describe('the clock of Asterisk', () => {
  const notice = useBriefNotice();
  let agent: Agent;
  let proxy: AriProxy;
  let operator: Operator;
  const wrong = ['behind', 'ahead'];
  const sentOn = ['checking', 'answering', 'announcing'] as const;
  const nothing = /^$/;
  /** What Préavis waits for in it. */
  const requestIn = { checking: /^\/ari\/sounds/, answering: /\/answer$/, announcing: nothing };
  const heldMs = 2_000;
  const steps = [
    ['dialling', '-60d'],
    ['talking', '-60d'],
    ['talking', '+60d'],
  ] as const;
  const nameOf = (state: string, off: string): string => `${state}${off.startsWith('-') ? 'back' : 'on'}`;
  const lines = [...wrong, ...sentOn, 'ringing', 'notice', 'cut', ...steps.map(([state, off]) => nameOf(state, off))];
  const at = useRig(async () => {
    proxy = await at.keep(startAriProxy());
    agent = await destination(at, lines);

    return {
      idle: true,
      asteriskClockOff: '+0',
      extensions: extensionsTo(agent, lines),
      config: { ari: { url: proxy.url }, notice: notice.config(), lines: linesOf(lines) },
    };
  });
  beforeAll(async () => {
    proxy.leadTo(at.rig.asterisk.ariUrl);
    await notice.install(at.rig.asterisk.soundsFolder);
    await at.rig.startServe();
    operator = await at.keep(startOperator(at.rig));
  });
  afterEach(() => {
    proxy.delay(nothing, 0);
    at.rig.asterisk.setClock('+0');
  });

  /** When a call of this line came into a state, and when it left it, by our clock; Infinity where it has not. */
  async function stayOf(line: string, state: string): Promise<{ cameAt: number; leftAt: number }> {
    const { id } = await endedCall(at.rig, line);
    const moves = at.rig.log().filter((each) => each['call'] === id);
    const timeOf = (move: Record<string, unknown> | undefined): number =>
      move === undefined ? Infinity : Date.parse(String(move['time']));

    return {
      cameAt: timeOf(moves.find(({ to }) => to === state)),
      leftAt: timeOf(moves.find(({ from }) => from === state)),
    };
  }

  /**
   * How long the notice of this line took by the clock that was set while it was played, ms. Asterisk tells of a playback a moment after
   * its first sound, and the caller may have heard that before: then both its times are of the clock as it was set.
   */
  function playedMs(line: string): number {
    const target = `channel:${operator.channelOf(line)}`;
    const [startedAt, finishedAt] = ['PlaybackStarted', 'PlaybackFinished'].map((type) =>
      timeOf(operator.seen.find((each) => each.type === type && each.playback?.target_uri === target)?.timestamp ?? ''),
    );

    return (finishedAt ?? NaN) - (startedAt ?? NaN);
  }

  /**
   * A call in which Asterisk's clock is set to this while it is in this state: in `announcing`, once the caller hears the notice, in
   * `dialling`, once it rings, in `talking`, once some of it is recorded: an empty file is no recording.
   * Where it had moved on when that was done, it is placed again. Gives how often the destination answered.
   */
  const stepped = (line: string, state: string, off: string, isShown = (): boolean => true) =>
    at.onTime(line, async () => {
      at.rig.asterisk.setClock('+0');
      const files = (): string[] => readdirSync(at.rig.asterisk.spoolFolder, { recursive: true, encoding: 'utf8' });
      const before = {
        lines: at.rig.log().length,
        calls: agent.calls(),
        answered: agent.answered(),
        files: files(),
      };
      const receiver = await at.keep(startRtpReceiver());
      let isOver = false;
      const called = call(at, line, receiver).finally(() => {
        isOver = true;
      });
      // Whatever is waited for first.
      called.catch(() => undefined);
      const hasCome = (): boolean =>
        at.rig
          .log()
          .slice(before.lines)
          .some(({ to }) => to === state);
      const isNewWav = (name: string): boolean => name.endsWith('.wav') && !before.files.includes(name);
      let packetsBefore: number | undefined;
      const isRecorded = (): boolean => {
        if (!files().some(isNewWav)) return false;
        packetsBefore ??= receiver.packets();
        return receiver.packets() > packetsBefore + packetsBetween;
      };
      const isThere = (): boolean => {
        if (isOver) return true;
        if (state === 'announcing') return receiver.packets() > 0;
        if (state === 'dialling') return agent.calls() > before.calls;
        return hasCome() && (state !== 'talking' || isRecorded());
      };
      await eventually(isThere, { everyMs: 5 });
      at.rig.asterisk.setClock(off);
      const setAt = Date.now();
      await called;
      const { cameAt, leftAt } = await stayOf(line, state);
      if (cameAt > setAt || leftAt <= setAt) {
        throw new StateMissed(`it was not ${state} any more when the clock was set`);
      }
      if (!isShown()) throw new StateMissed("the clock was not set within the notice's time");
      return agent.answered() - before.answered;
    });

  const made = new Map<string, Promise<unknown>>();
  /** For a call that several tests look at: the first of them makes it. */
  const once = async (line: string, make: () => Promise<unknown>): Promise<void> => {
    const making = made.get(line) ?? make();
    made.set(line, making);
    await making;
  };
  const callWhile = (line: string, off: string): Promise<void> =>
    once(line, () => {
      at.rig.asterisk.setClock(off);
      return call(at, line);
    });
  const callWithStep = (state: string, off: string): Promise<void> =>
    once(nameOf(state, off), () => stepped(nameOf(state, off), state, off));

  test.each([
    ['behind', '-60d'],
    ['ahead', '+60d'],
  ])(
    'that is 60 days %s is seen, told in the receipt, and has nothing erased before somebody decides',
    async (line, off) => {
      await callWhile(line, off);
      const { id, finishedAt } = await finishedRecording(at.rig, line);
      expect(Math.round(((finishedAt ?? 0) - Date.now()) / dayMs)).toBe(Number(off.replace('d', '')));
      expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ erased: 0 });
      await expectKeptFromNow(at, line);
      expect(await flagsInReceipt(at, line)).toContain('clock_doubtful');
      expect(await doubtful(at)).toContain(id);
      expect(
        at.rig.log().some(({ msg, recording }) => recording === id && String(msg).startsWith('clocks disagree')),
      ).toBe(true);
      expect((await at.rig.preavisJson<Checks>('check')).checks).toContainEqual(
        expect.objectContaining({ check: 'clocks', warning: expect.any(String) as string }),
      );
      const { attention } = await at.rig.preavisJson<{ attention: string[] }>('report');
      expect(attention.join()).toMatch('clocks disagree');
      const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
      expect(metrics).toMatch(/preavis_clocks_apart_total\{when="arrival"\} [1-9]/);
      expect(metrics).toMatch(/preavis_clocks_apart_total\{when="finish"\} [1-9]/);
    },
  );

  test('is believed where somebody says so, and only then is it erased as due', async () => {
    await callWhile('behind', '-60d');
    at.rig.asterisk.setClock('+0');
    const { id } = await finishedRecording(at.rig, 'behind');
    await at.rig.preavisJson('upload');
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 0, erased: 0 });
    expect((await at.rig.preavis('recordings', 'settle', id, '--by', 'events')).code).toBe(0);
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 1, erased: 1 });
    const { status, audit } = await showRecording(at.rig, id);
    expect(status).toBe('erased');
    expect(audit.map(({ event }) => event)).toEqual(expect.arrayContaining(['clocks disagree', 'end settled']));
  });

  test.each(steps)(
    'that is set while the call is %s (%s) changes nothing of how long it is kept',
    async (state, off) => {
      const line = nameOf(state, off);
      await callWithStep(state, off);
      await expectKeptFromNow(at, line);
      expect(await flagsInReceipt(at, line)).toContain('clock_doubtful');
      expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ erased: 0 });
    },
  );

  // Asterisk ends a recorder by that clock as well, at the longest time that it was given.
  test('that is set forward by more than a recording may last ends it, and not the talk', async () => {
    await callWithStep('talking', '+60d');
    await callWithStep('talking', '-60d');
    // The dead-man channel has a limit by that clock, too.
    const ends = ['ended_early', 'unwatched_too_long'];
    expect((await flagsInReceipt(at, nameOf('talking', '+60d'))).some((flag) => ends.includes(flag))).toBe(true);
    expect((await flagsInReceipt(at, nameOf('talking', '-60d'))).some((flag) => ends.includes(flag))).toBe(false);
  });

  // The time that Préavis has for a caller is over by that clock. What is under way fails with it, and Préavis may hear of that first.
  test.each(sentOn)(
    'that is set forward while the call is %s has the dialplan send the caller on, unrecorded',
    async (state) => {
      // It is over in some milliseconds otherwise.
      proxy.delay(requestIn[state], heldMs);
      expect(await stepped(state, state, '+60d')).toBe(1);
      const { id, result, reason } = await endedCall(at.rig, state);
      expect([result, ['sent_on', 'notice_failed', 'answer_failed'].includes(reason ?? '')]).toEqual([
        'unrecorded',
        true,
      ]);
      expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id)).toEqual([]);
    },
  );

  // Asterisk times the ringing by that clock.
  test('that is set forward while it rings ends the ringing, and the call goes on in the dialplan', async () => {
    expect(await stepped('ringing', 'dialling', '+3h')).toBe(0);
    const { id, ...ended } = await endedCall(at.rig, 'ringing');
    expect(ended).toMatchObject({ result: 'notConnected', dialStatus: 'NOANSWER' });
    expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id)).toEqual([]);
  });

  test('that is put back in the notice proves nothing', async () => {
    await stepped('notice', 'announcing', '-60d', () => playedMs('notice') < 0);
    expect(await endedCall(at.rig, 'notice')).toMatchObject({ result: 'unrecorded', reason: 'notice_cut_short' });
  });

  test('that is set forward in a notice that is cut short does not make it whole', async () => {
    const folder = join(at.rig.asterisk.soundsFolder, 'fr/preavis');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), toneWav(700, 1_400));
    // By less than its time that Asterisk gives Préavis; by Asterisk's clock the notice took longer than its 2 s then.
    await stepped('cut', 'announcing', '+3s', () => playedMs('cut') > 3_000);
    expect((await catalogueNotices(at.rig, 'cut'))[0]?.verdict).toBe('notice_cut_short');
    const { id } = await endedCall(at.rig, 'cut');
    expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id)).toEqual([]);
  });

  test('leaves nobody connected', async () => {
    await expectNobodyConnected(at.rig);
  });
});

describe('the clock of this machine', () => {
  const notice = useBriefNotice();
  const lines = ['together', 'right'];
  const at = useRig(async () => ({
    idle: true,
    asteriskClockOff: '-60d',
    clockOff: '-60d',
    extensions: extensionsTo(await destination(at, lines), lines),
    config: { notice: notice.config(), lines: linesOf(lines) },
  }));
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    await at.rig.startServe();
  });
  const setBoth = (off: string): void => {
    at.rig.asterisk.setClock(off);
    at.rig.setClock(off);
  };

  test('that is behind with that of Asterisk, and is put right, has nothing erased before somebody decides', async () => {
    await call(at, 'together');
    const { id } = await finishedRecording(at.rig, 'together');
    setBoth('+0');
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ erased: 0, doubtful: 1 });
    expect(await doubtful(at)).toEqual([id]);
    expect((await showRecording(at.rig, id)).status).toBe('recorded');
  });

  test('that is set forward before a pass, and stays so, has nothing erased before somebody decides', async () => {
    const id = await at.onTime('right', async () => {
      await call(at, 'right');
      const row = await finishedRecording(at.rig, 'right');
      expect(row.flags).toEqual([]);
      return row.id;
    });
    const inVain = await at.recordedInVain(['right']);
    setBoth('+60d');
    // No pass believes it, whatever is due, before somebody says that it is right.
    for (let pass = 0; pass < 2; pass += 1) expect((await at.rig.preavis('retention', 'run')).code).toBe(1);
    const believed = await at.rig.preavisJson<Pass>('retention', 'run', '--clock-is-right');
    expect(believed).toMatchObject({ erased: 0, doubtful: 2 + inVain });
    expect(await doubtful(at)).toContain(id);
    setBoth('+0');
    const { id: together } = await finishedRecording(at.rig, 'together');
    // Those in vain, too: of none of them the file tells anything.
    const right = (await doubtful(at)).filter((each) => each !== together);
    expect((await at.rig.preavis('recordings', 'settle', ...right, '--by', 'kept')).code).toBe(0);
    expect((await at.rig.preavis('recordings', 'settle', '--all', '--by', 'file')).code).toBe(0);
    expect(await doubtful(at)).toEqual([]);
    await expectKeptFromNow(at, 'right');
    await at.rig.preavis('retention', 'run');
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 0, doubtful: 0 });
  });
});
