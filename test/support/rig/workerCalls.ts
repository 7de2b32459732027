/** Calls of two workers, and what became of them. */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Call } from '../../../lab/telephones/sip.ts';
import { serveLease } from '../../../src/catalogue/jobs/leases.ts';
import { workerNames, type WorkerName } from '../../../src/config/workerNames.ts';
import { thisProcess } from '../../../src/core/processes.ts';
import type { CallRow, RecordingRow } from '../../../src/catalogue/rows.ts';
import { presentMs } from '../audio/audio.ts';
import { useBriefNotice, type BriefNotice } from '../call/briefNotice.ts';
import type { TcpProxy } from '../ari/tcpProxy.ts';
import { eventually } from '../poll.ts';
import { useCatalogueIn, type CatalogueStore } from './catalogueStores.ts';
import { withCatalogue } from './rigCatalogue.ts';
import { catalogueCalls, catalogueRecordings, expectNobodyConnected, useRig, type RigInUse } from './rigs.ts';
import { useWorkers, type Workers } from './workers.ts';

const agentHz = 1000;

/** For so long a worker that leaves waits for its talks: in most tests they are to be the other one's soon, s. */
const briefGraceSeconds = 2;

/** A rig for these lines, with an agent that answers, and no serve yet. */
export async function workersRig(
  at: () => RigInUse,
  lines: readonly string[],
  notice: BriefNotice,
  graceSeconds = briefGraceSeconds,
): Promise<RigOptions> {
  const agent = await at().keep(startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), atOnce: 60 }));

  return {
    idle: true,
    extensions: Object.fromEntries(lines.map((line) => [line, `${agent.dialString},20,line=${line}`])),
    config: {
      notice: notice.config(),
      shutdown: { graceSeconds },
      lines: Object.fromEntries(
        [...lines, 'default'].map((line) => [
          line,
          { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] },
        ]),
      ),
    },
  };
}

/** Two workers that serve, an agent that answers these lines, and the catalogue in this store. */
export function useWorkersAnd(
  lines: readonly string[],
  store: CatalogueStore = 'sqlite',
  graceSeconds?: number,
): { workers: Workers; at: RigInUse } {
  const workers = useWorkers(() => at.rig);
  const notice = useBriefNotice();
  const database = useCatalogueIn(store);
  const at = useRig(async () => ({
    ...(await workersRig(() => at, lines, notice, graceSeconds)),
    ...(await database()),
  }));
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    await workers.startBoth();
  });

  return { workers, at };
}

export type Placed = { call: Call; receiver: RtpReceiver };

/** Somebody calls this line. */
export async function place(at: RigInUse, line: string): Promise<Placed> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(440);

  return { receiver, call: await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver })) };
}

/** The newest first. */
export const callsOf = async ({ rig }: RigInUse, line: string): Promise<CallRow[]> =>
  (await catalogueCalls(rig)).filter((each) => each.line === line);

/** Waits for the one call by this line in which both talk, or which has ended. */
export const callIn = (at: RigInUse, line: string, phase: 'following' | 'talking' | 'ended'): Promise<CallRow> =>
  eventually(async () => (await callsOf(at, line)).find((each) => each.phase === phase) ?? false);

export const recordingOf = async ({ rig }: RigInUse, { id }: CallRow): Promise<RecordingRow | undefined> =>
  (await catalogueRecordings(rig)).find(({ callId }) => callId === id);

/** The caller hears who was called. */
export const hearsAgent = ({ receiver }: Placed): Promise<unknown> =>
  eventually(() => presentMs(receiver.latest(2_000), agentHz, { share: 0.2 }) > 200, { everyMs: 100 });

/** Which worker had this call first. */
export function workerOf({ application }: CallRow): WorkerName {
  const found = workerNames.find((worker) => application === `preavis-${worker}`);
  if (found === undefined) throw new Error(`no worker has the application ${String(application)}`);

  return found;
}

export const otherThan = (worker: WorkerName): WorkerName => (worker === 'a' ? 'b' : 'a');

/** One call by this line at least is had by each of these workers. */
export async function callsAt(at: RigInUse, line: string, wanted: readonly WorkerName[]): Promise<Placed[]> {
  const placed: Placed[] = [];
  const had = async (): Promise<WorkerName[]> => (await callsOf(at, line)).map(workerOf);
  for (let seen = await had(); placed.length < 16 && !wanted.every((each) => seen.includes(each)); seen = await had()) {
    placed.push(await place(at, line));
    await eventually(async () => {
      expect((await callsOf(at, line)).filter(({ phase }) => phase === 'talking')).toHaveLength(placed.length);
    });
  }

  return placed;
}

/** Bridges in which a recorder is the third. */
export const recorders = async ({ rig }: RigInUse): Promise<number> =>
  (await rig.asterisk.cli('bridge show all')).split('\n').filter((line) => line.includes('softmix')).length;

/** How many of the two have a lease that has not run out. */
const leasesHeld = ({ rig }: RigInUse): Promise<number> =>
  withCatalogue(rig, async ({ leases }) => {
    const pbx = rig.database === undefined ? undefined : 'lab';
    const holders = workerNames.map((worker) =>
      leases.otherHolder(serveLease({ pbx, application: `preavis-${worker}` }), thisProcess()),
    );

    return (await Promise.all(holders)).filter((holder) => holder !== undefined).length;
  });

/** Those who have called this line hang up: each call is recorded whole, in one recording. */
export async function endRecorded(at: RigInUse, line: string, placed: readonly Placed[]): Promise<void> {
  for (const { call } of placed) await call.hangUp();
  await eventually(async () => {
    const calls = await callsOf(at, line);
    expect(calls.map(({ phase, result }) => ({ phase, result }))).toEqual(
      placed.map(() => ({ phase: 'ended', result: 'recorded' })),
    );
    for (const call of calls) expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
  });
  await expectNobodyConnected(at.rig);
}

/**
 * Both workers reach something by this proxy alone, and lose it until their leases have run out. Then each has its own calls again, and neither has ended
 * the other.
 */
export async function outlastLeases(
  at: RigInUse,
  workers: Workers,
  line: string,
  proxy: TcpProxy,
  isBack: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const placed = await callsAt(at, line, workerNames);
  const since = workerNames.map((worker) => workers.log(worker).length);
  proxy.impair({ hole: ['toServer', 'toClient'] });
  proxy.reset();
  await eventually(async () => (await leasesHeld(at)) === 0);
  proxy.mend();
  await isBack();
  await eventually(async () => (await leasesHeld(at)) === workerNames.length);
  await endRecorded(at, line, placed);
  for (const [index, worker] of workerNames.entries()) {
    const lost = workers.log(worker).filter(({ code }, nth) => nth >= (since[index] ?? 0) && code === 'lease_lost');
    expect([worker, workers.isRunning(worker), lost]).toEqual([worker, true, []]);
  }
}
