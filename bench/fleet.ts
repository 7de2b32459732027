/**
 * A fleet on one machine: `npm run bench:fleet [-- --pbx 3 --workers 2 --rates 1,2,3,4,6,8 --seconds 30]`. Some Asterisks, each with two workers, or with
 * one `serve` (`--workers 1`), one PostgreSQL whose commits wait for the disk, one S3 server, and SIPp, which calls at each PBX at a rising pace. It says
 * what a call costs each of them, how soon the recorder runs, and which pace is too much. At the end the first pace comes again with longer talks:
 * what a call costs is told from what each second of it costs.
 *
 * `--databases each` gives each PBX a catalogue of its own in the same PostgreSQL.
 */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { startPostgres, type LabPostgres } from '../lab/postgres/postgres.ts';
import { rigBucket, startRig, type Rig } from '../lab/rig.ts';
import { startStore } from '../lab/store/store.ts';
import { continuousTone } from '../lab/telephones/audio.ts';
import { placeCalls, startAgent, type Agent } from '../lab/telephones/sip.ts';
import { takenSoFar, takers, type Taken } from './fleet/machine.ts';
import {
  costOfTalk,
  figuresOf,
  header,
  isLosing,
  lineOf,
  tooMuch,
  type DatabaseCounts,
  type Figures,
  type Rest,
} from './fleet/report.ts';

const { values } = parseArgs({
  options: {
    pbx: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    rates: { type: 'string', default: '1,2,3,4,6,8' },
    seconds: { type: 'string', default: '30' },
    talk: { type: 'string', default: '1' },
    'long-talk': { type: 'string', default: '20' },
    databases: { type: 'string', default: 'one' },
  },
});
const pbxs = Number(values.pbx);
const hasWorkers = values.workers === '2';
/** Calls a second at each PBX. */
const rates = values.rates.split(',').map(Number);
const seconds = Number(values.seconds);
const talkMs = Number(values.talk) * 1_000;
const longTalkMs = Number(values['long-talk']) * 1_000;
const isShared = values.databases === 'one';
/** A call takes its notice, too; and what is slow has more of them at once. */
const mostAtOnce = Math.ceil(
  Math.max(...rates) * (talkMs / 1_000 + 30) + Math.min(...rates) * (longTalkMs / 1_000 + 30),
);
const warmUpCalls = 100;
const restSeconds = 20;
const archivedWithinMs = 90_000;

type Counted = { answered: number; recorded: number; archived: number; open: number; gaps: number[] };

/** Some databases of the server, and what they say. */
class Databases {
  readonly #clients: Client[] = [];

  async open(addresses: readonly string[]): Promise<void> {
    for (const connectionString of addresses) {
      const client = new Client({ connectionString });
      await client.connect();
      this.#clients.push(client);
    }
    // How long the disk takes.
    await this.#clients[0]?.query('ALTER SYSTEM SET track_wal_io_timing = on');
    await this.#clients[0]?.query('SELECT pg_reload_conf()');
  }

  async counts(): Promise<DatabaseCounts> {
    const { rows } = (await this.#clients[0]?.query<Record<keyof DatabaseCounts, string>>(`
      SELECT (SELECT sum(xact_commit) FROM pg_stat_database WHERE datname LIKE 'lab%') AS commits,
        pg_current_wal_lsn() - '0/0' AS "walBytes", wal_sync AS "walSyncs", wal_sync_time AS "walSyncMs",
        (SELECT sum(pg_database_size(datname)) FROM pg_database WHERE datname LIKE 'lab%') AS bytes
      FROM pg_stat_wal`)) ?? { rows: [] };
    const [row] = rows;
    if (row === undefined) throw new Error('PostgreSQL counts nothing');

    return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value)])) as DatabaseCounts;
  }

  /** Of the calls that began behind `since`, ms since 1970. */
  async calls(since: number): Promise<Counted> {
    const all: Counted = { answered: 0, recorded: 0, archived: 0, open: 0, gaps: [] };
    for (const client of this.#clients) {
      const { rows } = await client.query<{ status: string | null; result: string | null; gap: string | null }>(
        `SELECT status, result, recordings.started_at - notice_finished_at AS gap
         FROM preavis.calls LEFT JOIN preavis.recordings ON recordings.call_id = calls.id WHERE calls.started_at > $1`,
        [since],
      );
      for (const { status, result, gap } of rows) {
        all.answered += 1;
        if (result === 'recorded') all.recorded += 1;
        if (status === 'archived') all.archived += 1;
        if (result === null || status === 'recording' || status === 'recorded') all.open += 1;
        if (gap !== null) all.gaps.push(Number(gap));
      }
    }

    return all;
  }

  async reasons(): Promise<string[]> {
    const found: string[] = [];
    for (const client of this.#clients) {
      const { rows } = await client.query<{ what: string }>(
        `SELECT concat_ws(' ', calls.result, calls.reason, recordings.status, recordings.failure, count(*)) AS what
         FROM preavis.calls LEFT JOIN preavis.recordings ON recordings.call_id = calls.id
         GROUP BY calls.result, calls.reason, recordings.status, recordings.failure`,
      );
      found.push(...rows.map(({ what }) => what));
    }

    return found;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.end();
  }
}

type Fleet = { rigs: Rig[]; agents: Agent[]; databases: Databases };

async function startServes(rig: Rig): Promise<void> {
  await (hasWorkers ? Promise.all(Object.values(rig.workers).map(({ start }) => start())) : rig.startServe());
}

const servesOf = (rig: Rig): number[] =>
  (hasWorkers ? Object.values(rig.workers).map(({ pid }) => pid()) : [rig.servePid()]).map((pid) => pid ?? 0);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const taken = ({ rigs }: Fleet): Taken =>
  takenSoFar(
    rigs.map(({ asterisk }) => asterisk.pid() ?? 0),
    rigs.flatMap(servesOf),
  );

/** Agents of a PBX: one that answers and talks for so long, and one that talks for longer. */
async function startPbx(name: string, database: string, store: Awaited<ReturnType<typeof startStore>>) {
  const [short, long] = [
    await startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs: talkMs, atOnce: mostAtOnce }),
    await startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs: longTalkMs, atOnce: mostAtOnce }),
  ];
  const rig = await startRig({
    idle: true,
    extensions: { short: `${short.dialString},20,language=en`, long: `${long.dialString},20,language=en` },
    rtpPorts: mostAtOnce * 4,
    store,
    database,
    // Each catalogue has an archive of its own.
    ...(isShared ? {} : { environment: { PREAVIS_ARCHIVE_MINIO_PREFIX: `${name}/` } }),
    config: {
      ari: { pbx: name },
      log: { level: 'info' },
      schedule: { upload: '*/5 * * * * *', retention: '0 0 1 1 *', reconcile: '0 0 1 1 *' },
    },
  });

  return { rig, agents: [short, long] };
}

/** Calls at each PBX at this pace, and all that follows them. */
async function step(fleet: Fleet, rest: Rest, rate: number, to: 'short' | 'long'): Promise<Figures> {
  const { rigs, databases } = fleet;
  const tone = await continuousTone(440);
  const since = Date.now();
  const [before, counted] = [taken(fleet), await databases.counts()];
  const placed = await Promise.all(
    rigs.map(({ asterisk: { sipPort } }) =>
      placeCalls({ tone, sipPort, to, calls: rate * seconds, perSecond: rate, holdMs: 600_000, atOnce: mostAtOnce }),
    ),
  );
  const ended = Date.now();
  let calls = await databases.calls(since);
  while (calls.open > 0 && Date.now() - ended < archivedWithinMs) {
    await sleep(500);
    calls = await databases.calls(since);
  }
  const archived = Date.now();
  // What PostgreSQL counts is shown a second later.
  await sleep(1_500);

  return figuresOf(
    {
      offered: rate * pbxs,
      talkMs: to === 'short' ? talkMs : longTalkMs,
      placed: rate * seconds * pbxs,
      answered: placed.reduce((sum, { answered }) => sum + answered, 0),
      recorded: calls.recorded,
      archived: calls.archived,
      archiveLagSeconds: (archived - ended) / 1_000,
      gapsMs: calls.gaps,
      before,
      after: taken(fleet),
      lookedSeconds: (archived - since) / 1_000,
      database: { before: counted, after: await databases.counts() },
    },
    rest,
    availableParallelism(),
  );
}

async function atRest(fleet: Fleet): Promise<Rest> {
  const [before, counted] = [taken(fleet), await fleet.databases.counts()];
  await sleep(restSeconds * 1_000);
  const [after, now] = [taken(fleet), await fleet.databases.counts()];
  const cpu = takers.map((taker) => `${taker} ${((after[taker] - before[taker]) / restSeconds).toFixed(1)}`).join(', ');
  const [commits, walSyncs] = (['commits', 'walSyncs'] as const).map(
    (key) => (now[key] - counted[key]) / restSeconds,
  ) as [number, number];
  say(`at rest, a second: ${commits.toFixed(1)} commits, ${walSyncs.toFixed(1)} waits for the disk; CPU ms: ${cpu}`);

  return { commits, walSyncs };
}

async function measure(fleet: Fleet): Promise<void> {
  await step(fleet, { commits: 0, walSyncs: 0 }, Math.max(1, Math.round(warmUpCalls / pbxs / seconds)), 'short');
  const rest = await atRest(fleet);
  say(header);
  const all: Figures[] = [];
  for (const rate of rates) {
    const figures = await step(fleet, rest, rate, 'short');
    all.push(figures);
    const why = tooMuch(figures);
    say(`${lineOf(figures)}${why.length === 0 ? '' : `   TOO MUCH: ${why.join('; ')}`}`);
    if (isLosing(figures)) break;
  }
  const [first] = all;
  const [rate] = rates;
  if (first === undefined || rate === undefined) return;
  const long = await step(fleet, rest, rate, 'long');
  say(`${lineOf(long)}   talks of ${longTalkMs / 1_000} s`);
  for (const taker of takers) {
    const { aCall, aSecond } = costOfTalk(first, long, taker);
    say(`${taker}: ${aCall.toFixed(0)} ms of CPU a call, and ${aSecond.toFixed(1)} ms for each second of its talk`);
  }
  say(`what became of all calls: ${(await fleet.databases.reasons()).join('; ')}`);
}

let postgres: LabPostgres | undefined;
const store = await startStore();
const fleet: Fleet = { rigs: [], agents: [], databases: new Databases() };
try {
  await store.makeBucket(rigBucket, { versioning: true });
  postgres = await startPostgres({ durable: true });
  const addresses: string[] = [];
  for (let number = 0; number < pbxs; number += 1) {
    if (number === 0 || !isShared) addresses.push(await postgres.makeDatabase());
    const { rig, agents } = await startPbx(`pbx${number + 1}`, addresses.at(-1) ?? '', store);
    fleet.rigs.push(rig);
    fleet.agents.push(...agents);
    await startServes(rig);
  }
  await fleet.databases.open(addresses);
  say(
    `${pbxs} Asterisk ${fleet.rigs[0]?.asterisk.version ?? ''} with ${hasWorkers ? 'two workers' : 'one serve'} each, PostgreSQL ${postgres.release} with ${isShared ? 'one catalogue' : 'a catalogue for each'}, Node ${process.versions.node}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
  await measure(fleet);
} finally {
  await fleet.databases.close();
  for (const rig of fleet.rigs) await rig.stop();
  for (const agent of fleet.agents) await agent.stop();
  await postgres?.stop();
  await store.stop();
}
