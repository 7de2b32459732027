/** A program asks for a pause without knowing which of the two workers has the call: either application takes it. */
import { workerNames, type WorkerName } from '../../../src/config/workerNames.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { pauseSentences } from '../../support/call/pausedTalk.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueChanges, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import {
  callIn,
  hearsAgent,
  otherThan,
  place,
  recordingOf,
  workerOf,
  workersRig,
} from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const lines = ['asked', 'killed'] as const;
type Line = (typeof lines)[number];

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice(2_000, pauseSentences);
let operator: Operator;
const at = useRig(() => workersRig(() => at, lines, notice));

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await workers.startBoth();
  operator = await at.keep(startOperator(at.rig));
});

type Task = 'Pause' | 'Resume';

/** By a program, which names the caller's channel. */
const ask = (line: Line, task: Task, worker: WorkerName): Promise<unknown> =>
  operator.request(
    'POST',
    `/events/user/preavis${task}?application=preavis-${worker}&source=channel:${operator.channelOf(line)}`,
  );

/** As the receipt has them, the oldest first. */
const pausesOf = async (line: Line): Promise<string[]> =>
  (await catalogueChanges(at.rig, line)).map(({ change }) => change).filter((change) => change.startsWith('pause'));

async function becomes(line: Line, wanted: readonly string[]): Promise<void> {
  await eventually(async () => {
    expect(await pausesOf(line)).toEqual(wanted);
  });
}

it('is paused and goes on, whichever of the two is asked', async () => {
  const placed = await place(at, 'asked');
  const call = await callIn(at, 'asked', 'talking');
  await hearsAgent(placed);
  const wanted: string[] = [];
  for (const worker of [otherThan(workerOf(call)), workerOf(call)]) {
    await ask('asked', 'Pause', worker);
    wanted.push('pauseBegan');
    await becomes('asked', wanted);
    await ask('asked', 'Resume', worker);
    wanted.push('pauseEnded');
    await becomes('asked', wanted);
  }
  await placed.call.hangUp();
  await eventually(async () => {
    expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
  });
  await expectNobodyConnected(at.rig);
});

it('goes on by either, too, once its worker was killed and the other one has it', async () => {
  const placed = await place(at, 'killed');
  const call = await callIn(at, 'killed', 'talking');
  await hearsAgent(placed);
  const [own, other] = [workerOf(call), otherThan(workerOf(call))];
  await ask('killed', 'Pause', other);
  await becomes('killed', ['pauseBegan']);
  const taken = workers.says(other, 'earlier call resumed');
  await workers.kill(own);
  await taken;
  await ask('killed', 'Resume', other);
  await becomes('killed', ['pauseBegan', 'pauseEnded']);
  await ask('killed', 'Pause', own);
  await becomes('killed', ['pauseBegan', 'pauseEnded', 'pauseBegan']);
  await placed.call.hangUp();
  await expectNobodyConnected(at.rig);
  await workers.start(own);
});

it('is at neither: the other one of them says so, once', async () => {
  const said = () =>
    workerNames.map(
      (worker) => workers.log(worker).filter(({ msg }) => msg === 'user event for a call that is not here').length,
    );
  const before = said();
  for (const worker of workerNames) {
    await operator.request('POST', `/events/user/preavisPause?application=preavis-${worker}`);
  }
  const wanted = before.map((count) => count + 1);
  await eventually(() => {
    expect(said()).toEqual(wanted);
  });
});
