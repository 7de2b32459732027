/**
 * From two workers to one serve and back, while somebody talks: whoever serves then has the talk, keeps Asterisk from ending its recorder, and is asked
 * for what programs want in it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import {
  callIn,
  callsAt,
  callsOf,
  hearsAgent,
  otherThan,
  place,
  recorders,
  recordingOf,
  workerOf,
  workersRig,
  type Placed,
} from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const unwatchedSeconds = 25;
const slackSeconds = 4;

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const at = useRig(async () => {
  const options = await workersRig(() => at, ['modes', 'back', 'unable'], notice);

  return { ...options, config: { ...options.config, recording: { unwatchedSeconds } } };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await workers.startBoth();
});

const deadmen = async (): Promise<string[]> =>
  (await at.rig.asterisk.cli('core show channels concise'))
    .split('\n')
    .flatMap((line) => /preavis(?:-[ab])?-deadman(?=-)/.exec(line.split('!').at(-1) ?? '')?.[0] ?? []);

/** Longer than the dead-man channel of who served before lives, and these talks go on in the same recordings. */
async function outlive(lines: readonly string[], placed: readonly Placed[]): Promise<void> {
  await sleep((unwatchedSeconds + slackSeconds) * 1_000);
  const calls = (await Promise.all(lines.map((line) => callsOf(at, line)))).flat();
  expect(calls.map(({ phase }) => phase)).toEqual(placed.map(() => 'talking'));
  for (const call of calls) {
    expect(await recordingOf(at, call)).toMatchObject({ status: 'recording', finishedAt: null, flags: [] });
  }
  expect(await recorders(at)).toBe(placed.length);
}

async function endRecorded(lines: readonly string[], placed: readonly Placed[]): Promise<void> {
  for (const each of placed) await hearsAgent(each);
  for (const { call } of placed) await call.hangUp();
  await eventually(async () => {
    const calls = (await Promise.all(lines.map((line) => callsOf(at, line)))).flat();
    for (const call of calls) {
      expect(call).toMatchObject({ phase: 'ended', result: 'recorded' });
      expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
    }
  });
  await expectNobodyConnected(at.rig);
}

const applications = async (line: string): Promise<unknown[]> =>
  (await callsOf(at, line)).map(({ application }) => application);

async function warningOfWorkers(): Promise<string | undefined> {
  const { checks } = await at.rig.preavisJson<{ checks: { check: string; warning?: string }[] }>('check');
  const found = checks.find(({ check }) => check === 'who watches calls');
  if (found === undefined) throw new Error('nothing is said of who watches calls');

  return found.warning;
}

it('a worker that cannot serve does not ask for the calls that the other one has', async () => {
  const placed = await place(at, 'unable');
  const made = await callIn(at, 'unable', 'talking');
  const [lost, left] = [workerOf(made), otherThan(workerOf(made))];
  const since = workers.log(left).length;
  await workers.kill(lost);
  await workers.says(left, 'earlier call resumed', since);
  await expect(workers.start(lost, { PREAVIS_ARI_PASSWORD: 'wrong' })).rejects.toThrow('ari_unauthorized');
  const messages = workers
    .log(left)
    .slice(since)
    .map(({ msg }) => msg);
  expect(messages).not.toContain('giving calls back to the other worker');
  await eventually(async () => (await warningOfWorkers())?.endsWith('the other worker is away') === true);
  await workers.start(lost);
  await workers.says(left, 'giving calls back to the other worker', since);
  await expect(at.rig.startServe({ PREAVIS_HEALTH_PORT: '0' })).rejects.toThrow('serves the application preavis-a');
  // Nor does a command that knows of no worker take their recorders for those of another application.
  const { checks } = await at.rig.preavisJson<{ checks: { code?: string }[] }>('check');
  expect(checks.map(({ code }) => code)).not.toContain('recorders_foreign');
  await eventually(async () => (await warningOfWorkers()) === undefined);
  await placed.call.hangUp();
  expect(await callIn(at, 'unable', 'ended')).toMatchObject({ result: 'recorded' });
  await expectNobodyConnected(at.rig);
});

it('talks of two workers are those of the one serve after them, and of the first worker again: one recording each that nobody ends', async () => {
  const placed = await callsAt(at, 'modes', ['b']);
  await Promise.all([workers.drain('a'), workers.drain('b')]);
  await at.rig.startServe();
  await eventually(async () => [...new Set(await deadmen())].join() === 'preavis-deadman');
  expect(await applications('modes')).toEqual(placed.map(() => 'preavis'));
  await expect(workers.start('a', { PREAVIS_HEALTH_PORT: '0' })).rejects.toThrow('serves the application preavis with');
  // Programs are heard.
  const [first] = await callsOf(at, 'modes');
  expect(await at.rig.preavis('calls', 'exemplary', first?.id ?? '')).toMatchObject({ code: 0 });
  await outlive(['modes'], placed);

  placed.push(await place(at, 'back'));
  await callIn(at, 'back', 'talking');
  await at.rig.stopServe();
  await workers.startBoth();
  await eventually(async () => [...new Set(await deadmen())].join() === 'preavis-a-deadman');
  expect([...(await applications('modes')), ...(await applications('back'))]).toEqual(placed.map(() => 'preavis-a'));
  await outlive(['modes', 'back'], placed);
  await endRecorded(['modes', 'back'], placed);
});
