/**
 * Two PBXs, each with its own `serve`, on one catalogue in PostgreSQL and one archive in S3, as docs/pbx/several.md has it: what is local to a PBX
 * is seen to there, the rest by whoever comes first, once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'minio';
import { labPurpose, rigBucket, startRig, type Rig, type RigOptions } from '../../../lab/rig.ts';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent, type Call } from '../../../lab/telephones/sip.ts';
import { makeLabFolder } from '../../../lab/machine/processes.ts';
import { usePostgres } from '../../support/catalogue/postgres.ts';
import { eventually } from '../../support/poll.ts';
import { withCatalogue } from '../../support/rig/rigCatalogue.ts';
import { catalogueRecordings, endedCall, finishedRecording, spooledWav, useRig } from '../../support/rig/rigs.ts';

const server = usePostgres();
const shared = makeLabFolder();
let store: LabStore;
let bucket: Client;
let south: Rig | undefined;

beforeAll(async () => {
  store = await startStore();
  await store.makeBucket(rigBucket, { versioning: true });
  bucket = new Client({ ...store, useSSL: false });
});
// Before the first rig, which looks whether anything is left.
afterAll(async () => {
  await south?.stop();
  await store.stop();
  shared.remove();
});

/** Training ends with the call. */
const lines: Record<string, string> = Object.fromEntries(
  ['both', 'due', 'unsent', 'killed'].flatMap((what) => [
    [`north-${what}`, what === 'both' || what === 'killed' ? 'agreement' : 'training'],
    [`south-${what}`, what === 'both' || what === 'killed' ? 'agreement' : 'training'],
  ]),
);

const at = useRig(async () => {
  const tone = await burstTone(1000);
  const brief = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1_500, atOnce: 6 }));
  const patient = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));
  const purpose = (keepDays: number) =>
    labPurpose('a test', 'Calls of the lab are recorded to see who erases them.', keepDays);
  const database = await server.newDatabase();
  const optionsOf = (pbx: string): RigOptions => ({
    store,
    database,
    extensions: Object.fromEntries(
      Object.keys(lines).map((name) => [
        name,
        `${(name.endsWith('killed') ? patient : brief).dialString},20,line=${name}`,
      ]),
    ),
    config: {
      ari: { pbx },
      // One signing key and one ledger for all.
      catalogue: { folder: shared.path },
      lines: Object.fromEntries(
        Object.entries(lines).map(([name, id]) => [name, { purposes: [id], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
      purposes: { training: purpose(0), agreement: { ...purpose(392), kind: 'evidence' } },
    },
  });
  south = await startRig(optionsOf('south'));

  return optionsOf('north');
});

const both = (): [Rig, Rig] => {
  if (south === undefined) throw new Error('the second PBX is not there');

  return [at.rig, south];
};

const call = async (rig: Rig, to: string): Promise<Call> =>
  at.keep(placeCall({ sipPort: rig.asterisk.sipPort, to, tone: await continuousTone(440) }));

/** At the same time, one at each PBX. */
async function record(what: string): Promise<[string, string]> {
  const [north, other] = both();
  const calls = await Promise.all([call(north, `north-${what}`), call(other, `south-${what}`)]);
  for (const { ended } of calls) expect(await ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const rows = await Promise.all(['north', 'south'].map((pbx) => finishedRecording(north, `${pbx}-${what}`)));
  const [one, two] = rows.map(({ id }) => id);

  return [one ?? '', two ?? ''];
}

const statusOf = (id: string): Promise<string | undefined> =>
  withCatalogue(at.rig, async ({ recordings }) => (await recordings.find(id))?.status);
const statuses = (ids: readonly string[]): Promise<(string | undefined)[]> => Promise.all(ids.map(statusOf));

async function objectsOf(ids: readonly string[]): Promise<number> {
  let count = 0;
  for await (const { name } of bucket.listObjectsV2(rigBucket, 'recordings/', true) as AsyncIterable<{
    name?: string;
  }>) {
    if (ids.some((id) => name?.includes(id) === true)) count += 1;
  }

  return count;
}

it('each finishes and sends what was recorded at itself, with its name', async () => {
  const [north, other] = both();
  const health = async ({ healthPort }: Rig) =>
    (await (await fetch(`http://127.0.0.1:${healthPort}/health`)).json()) as { pbx?: string };
  expect([(await health(north)).pbx, (await health(other)).pbx]).toEqual(['north', 'south']);
  const ids = await record('both');
  const pbxs = await withCatalogue(north, async ({ calls }) =>
    (await calls.list(10)).map(({ line, pbx }) => [line, pbx]),
  );
  expect(pbxs.toSorted()).toEqual([
    ['north-both', 'north'],
    ['south-both', 'south'],
  ]);
  expect(existsSync(spooledWav(north, ids[0])) && existsSync(spooledWav(other, ids[1]))).toBe(true);
  expect(await north.preavisJson('upload')).toMatchObject({ sent: 1, waiting: 0 });
  expect(await statuses(ids)).toEqual(['archived', 'recorded']);
  // Of what is not sent yet, the sound is told to lie at the other PBX.
  const wav = join(north.folder, 'fetched.wav');
  const fetched = await north.preavis('recordings', 'fetch', ids[1], '--purpose', 'agreement', '--output', wav);
  expect([fetched.code, fetched.stderr.startsWith('preavis: recording_elsewhere: ')]).toEqual([1, true]);
  expect(await other.preavisJson('upload')).toMatchObject({ sent: 1, waiting: 0 });
  expect(await statuses(ids)).toEqual(['archived', 'archived']);
  // A WAV and a receipt each.
  expect(await objectsOf(ids)).toBe(4);
  for (const rig of [north, other]) {
    expect(await rig.preavisJson('recordings', 'reconcile', '--dry-run')).toMatchObject({ findings: [] });
  }
});

it('what is in the archive is erased once, whoever comes first, and what is not by its own PBX', async () => {
  const [north, other] = both();
  const sent = await record('due');
  for (const rig of [north, other]) await rig.preavis('upload');
  expect(await statuses(sent)).toEqual(['archived', 'archived']);
  const unsent = await record('unsent');
  const runs = await Promise.all([north, other].map((rig) => rig.preavisJson<{ erased: number }>('retention', 'run')));
  expect(runs.reduce((sum, { erased }) => sum + erased, 0)).toBe(4);
  expect(Math.min(...runs.map(({ erased }) => erased))).toBe(1);
  expect(await statuses([...sent, ...unsent])).toEqual(['erased', 'erased', 'erased', 'erased']);
  expect(await objectsOf([...sent, ...unsent])).toBe(0);
  expect([existsSync(spooledWav(north, unsent[0])), existsSync(spooledWav(other, unsent[1]))]).toEqual([false, false]);
  const { certificates } = await other.preavisJson<{ certificates: { recording: string; pbx?: string }[] }>(
    'certificates',
    'list',
  );
  expect(certificates.map(({ recording }) => recording).toSorted()).toEqual([...sent, ...unsent].toSorted());
  const verified = await other.preavis('certificates', 'verify');
  expect(verified).toMatchObject({ code: 0 });
});

it('where one dies in a call, the other leaves it that call, and its own calls go on', async () => {
  const [north, other] = both();
  const calls = await Promise.all([call(north, 'north-killed'), call(other, 'south-killed')]);
  await eventually(async () => {
    const recording = (await catalogueRecordings(north)).filter(({ status }) => status === 'recording');
    expect(recording).toHaveLength(2);
  });
  await north.killServe();
  // Started again, it takes up what is open at itself.
  await other.killServe();
  await other.startServe();
  await other.preavis('upload');
  const phaseOf = (line: string) =>
    withCatalogue(north, async ({ calls: all }) => (await all.list(20)).find((each) => each.line === line)?.phase);
  expect(await phaseOf('north-killed')).toBe('talking');
  await north.startServe();
  for (const each of calls) await each.hangUp();
  for (const line of ['north-killed', 'south-killed']) {
    expect(await endedCall(north, line)).toMatchObject({ phase: 'ended' });
    expect(await finishedRecording(north, line)).toMatchObject({ status: 'recorded' });
  }
});

it('a second serve for the same PBX and application is refused in words', async () => {
  const [, other] = both();
  const second = await other.preavis('serve');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('preavis: job_busy: two instances with one id: another process (');
  expect(second.stderr).toContain('serves the application preavis of the PBX south with this catalogue');
});
