/**
 * Clocks that are wrong, Asterisk's, ours or both, and clocks that are set while a call is on: nothing is erased early without a human,
 * nothing is kept longer than that human is asked, and the receipt says so.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { continuousTone } from '../../lab/audio.ts';
import { startEar } from '../../lab/ear.ts';
import { placeCall, startAgent } from '../../lab/sip.ts';
import { useBriefNotice } from '../support/briefNotice.ts';
import { eventually } from '../support/poll.ts';
import { toneWav } from '../support/promptFolder.ts';
import {
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  useRig,
  type RigInUse,
} from '../support/rigs.ts';

const dayMs = 86_400_000;
const talkMs = 3_000;
const keepMs = 28 * dayMs;
/** Between the end of a talk and the look at it. */
const soonMs = 120_000;

type Doubts = { doubts: { recording: string; keptFrom: string; witnesses: Record<string, string> }[] };
type Pass = { due: number; erased: number; doubtful: number };
type Checks = { checks: { check: string; warning?: string }[] };

/** How often the destination of this rig was called. */
let destinationCalls = (): number => 0;

async function destination(at: RigInUse, lines: readonly string[]): Promise<Record<string, string>> {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', ringMs: 1_000, hangUpAfterMs: talkMs, atOnce: lines.length }),
  );

  destinationCalls = () => agent.calls();

  return Object.fromEntries(lines.map((line) => [line, `${agent.dialString},20,line=${line}`]));
}

const linesOf = (lines: readonly string[]) =>
  Object.fromEntries(lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]));

/**
 * How long it was, ms.
 *
 * @param during done once the call has come to this state; in `announcing`, once the caller hears the notice, in `dialling`, once it rings
 */
async function call(at: RigInUse, line: string, state?: string, during?: () => void): Promise<number> {
  const before = { lines: at.rig.log().length, calls: destinationCalls() };
  const tone = await continuousTone(440);
  const ear = await at.keep(startEar());
  const placedAt = performance.now();
  const placed = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, ear }));
  if (during !== undefined) {
    const hasCome = (): boolean =>
      at.rig
        .log()
        .slice(before.lines)
        .some(({ to }) => to === state);
    const isThere = (): boolean => {
      if (state === 'announcing') return ear.packets() > 0;
      return state === 'dialling' ? destinationCalls() > before.calls : hasCome();
    };
    await eventually(isThere, { everyMs: 5 });
    during();
  }
  expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });

  return performance.now() - placedAt;
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
  const wrong = ['behind', 'ahead'];
  const sentOn = ['checking', 'answering', 'announcing'];
  const stepped = [
    ['dialling', '-60d'],
    ['talking', '-60d'],
    ['talking', '+60d'],
  ] as const;
  const nameOf = (state: string, off: string): string => `${state}${off.startsWith('-') ? 'back' : 'on'}`;
  const lines = [...wrong, ...sentOn, 'ringing', 'notice', 'cut', ...stepped.map(([state, off]) => nameOf(state, off))];
  const at = useRig(async () => ({
    idle: true,
    asteriskClockOff: '+0',
    extensions: await destination(at, lines),
    config: { notice: notice.config(), lines: linesOf(lines) },
  }));
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    await at.rig.startServe();
  });
  afterEach(() => {
    at.rig.asterisk.setClock('+0');
  });

  test.each([
    ['behind', '-60d'],
    ['ahead', '+60d'],
  ])(
    'that is 60 days %s is seen, told in the receipt, and has nothing erased before somebody decides',
    async (line, off) => {
      at.rig.asterisk.setClock(off);
      await call(at, line);
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
    const { id } = await finishedRecording(at.rig, 'behind');
    await at.rig.preavisJson('upload');
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 0, erased: 0 });
    expect((await at.rig.preavis('recordings', 'settle', id, '--by', 'events')).code).toBe(0);
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 1, erased: 1 });
    const { status, audit } = await showRecording(at.rig, id);
    expect(status).toBe('erased');
    expect(audit.map(({ event }) => event)).toEqual(expect.arrayContaining(['clocks disagree', 'end settled']));
  });

  test.each(stepped)(
    'that is set while the call is %s (%s) changes nothing of how long it is kept',
    async (state, off) => {
      const line = nameOf(state, off);
      await call(at, line, state, () => {
        at.rig.asterisk.setClock(off);
      });
      await expectKeptFromNow(at, line);
      expect(await flagsInReceipt(at, line)).toContain('clock_doubtful');
      expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ erased: 0 });
    },
  );

  // Asterisk ends a recorder by that clock as well, at the longest time that it was given.
  test('that is set forward by more than a recording may last ends it, and not the talk', async () => {
    const flags = await flagsInReceipt(at, nameOf('talking', '+60d'));
    expect(flags).toContain('ended_early');
    expect(await flagsInReceipt(at, nameOf('talking', '-60d'))).not.toContain('ended_early');
  });

  // The time that Préavis has for a caller is over by that clock. What is under way fails with it, and Préavis may hear of that first.
  test.each(sentOn)(
    'that is set forward while the call is %s has the dialplan send the caller on, unrecorded',
    async (state) => {
      const ms = await call(at, state, state, () => {
        at.rig.asterisk.setClock('+60d');
      });
      expect(ms).toBeGreaterThan(talkMs);
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
    const ms = await call(at, 'ringing', 'dialling', () => {
      at.rig.asterisk.setClock('+3h');
    });
    expect(ms).toBeLessThan(talkMs);
    const { id, ...ended } = await endedCall(at.rig, 'ringing');
    expect(ended).toMatchObject({ result: 'notConnected', dialStatus: 'NOANSWER' });
    expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id)).toEqual([]);
  });

  test('that is put back in the notice proves nothing', async () => {
    await call(at, 'notice', 'announcing', () => {
      at.rig.asterisk.setClock('-60d');
    });
    expect(await endedCall(at.rig, 'notice')).toMatchObject({ result: 'unrecorded', reason: 'notice_cut_short' });
  });

  test('that is set forward in a notice that is cut short does not make it whole', async () => {
    const folder = join(at.rig.asterisk.soundsFolder, 'fr/preavis');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), toneWav(700, 600));
    // By less than its time that Asterisk gives Préavis.
    await call(at, 'cut', 'announcing', () => {
      at.rig.asterisk.setClock('+3s');
    });
    const [played] = await catalogueNotices(at.rig, 'cut');
    // By Asterisk's clock it took longer than its 2 s.
    expect((played?.finishedAt ?? 0) - (played?.startedAt ?? 0)).toBeGreaterThan(3_000);
    expect(played?.verdict).toBe('notice_cut_short');
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
    extensions: await destination(at, lines),
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
    await call(at, 'right');
    const { id, flags } = await finishedRecording(at.rig, 'right');
    expect(flags).toEqual([]);
    setBoth('+60d');
    // No pass believes it, whatever is due, before somebody says that it is right.
    for (let pass = 0; pass < 2; pass += 1) expect((await at.rig.preavis('retention', 'run')).code).toBe(1);
    const believed = await at.rig.preavisJson<Pass>('retention', 'run', '--clock-is-right');
    expect(believed).toMatchObject({ erased: 0, doubtful: 2 });
    expect(await doubtful(at)).toContain(id);
    setBoth('+0');
    expect((await at.rig.preavis('recordings', 'settle', id, '--by', 'events')).code).toBe(0);
    expect((await at.rig.preavis('recordings', 'settle', '--all', '--by', 'file')).code).toBe(0);
    expect(await doubtful(at)).toEqual([]);
    await expectKeptFromNow(at, 'right');
    await at.rig.preavis('retention', 'run');
    expect(await at.rig.preavisJson<Pass>('retention', 'run')).toMatchObject({ due: 0, doubtful: 0 });
  });
});
