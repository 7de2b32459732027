/**
 * An Asterisk on another machine: Préavis does not see its recording folder, and collects the recordings over ARI. Nothing else than that
 * folder is another one here; no file of it is touched by Préavis.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { rigBucket } from '../../../lab/rig.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { presentMs, readWav, rms } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { allOver, eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  useRig,
} from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const callerHz = 440;
const agentHz = 1_000;
const talkMs = 1_500;
/** What may lack of a talk at its beginning and its end: a dialplan's Dial() is heard of when it is answered. */
const leastMs = talkMs - 600;

/** In their order. */
const steps = ['copied', 'compared', 'in the spool', 'noted', 'removed at Asterisk'].map((step) => `collect, ${step}`);
const followed = ['follow', 'killed', 'unseen'];
const extensions = ['bridge', 'away', ...followed];

const notice = useBriefNotice(1_000);
const s3 = useS3Server({ [rigBucket]: { versioning: true } });
const folder = temporaryFolder();
const spool = (): string => folder.path('spool');

/** Talks until its call is ended. */
let patient: Agent;

const at = useRig(async () => {
  mkdirSync(spool());
  const tone = await continuousTone(agentHz);
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: talkMs, atOnce: 4 }));
  patient = await at.keep(startAgent({ behaviour: 'answer', tone }));

  return {
    idle: true,
    store: s3.server,
    lines: extensions.flatMap((name) => [
      ...(followed.includes(name)
        ? [
            `exten => ${name},1,Gosub(preavis-tell,s,1(line=${name}))`,
            ` same => n,Dial(${(name === 'unseen' ? patient : agent).dialString},20)`,
          ]
        : [`exten => ${name},1,Gosub(preavis,s,1(${agent.dialString},20,line=${name}))`]),
      ' same => n,Hangup()',
    ]),
    config: {
      notice: notice.config(),
      recording: { spool: 'collected', spoolFolder: spool() },
      // Its file is on the other machine, too.
      witness: { celFile: undefined },
      lines: Object.fromEntries(
        extensions.map((name) => [name, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
});

const atAsterisk = (): string[] => readdirSync(at.rig.asterisk.spoolFolder);
const inSpool = (): string[] => readdirSync(spool()).sort();
const wavOf = ({ id }: Pick<RecordingRow, 'id'>): string => join(spool(), `preavis-${id}.wav`);

async function callTo(to: string): Promise<void> {
  const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(callerHz) });
  expect(await (await at.keep(placed)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
}

/** With a serve that runs, and nothing left of calls before: an attempt that was late may have ended anywhere. */
async function beginAnew(): Promise<void> {
  const { rig } = at;
  await rig.killServe();
  if (!rig.asterisk.isRunning()) await rig.asterisk.start();
  await rig.startServe();
  await expectNobodyConnected(rig);
  await eventually(async () => {
    expect(await rig.preavis('upload')).toMatchObject({ code: 0 });
    expect([atAsterisk(), inSpool()]).toEqual([[], []]);
  });
}

/** Its sound is whole and in the spool alone, and its row and its trail say what it is. */
async function expectCollected(line: string): Promise<RecordingRow> {
  const row = await finishedRecording(at.rig, line);
  await eventually(() => {
    expect(atAsterisk()).toEqual([]);
  });
  const bytes = readFileSync(wavOf(row));
  expect(row).toMatchObject({
    status: 'recorded',
    flags: [],
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  const samples = readWav(bytes);
  const heard = [callerHz, agentHz].map((hz) => presentMs(samples, hz));
  expect({ line, heard, lacking: heard.filter((ms) => ms < leastMs) }).toEqual({ line, heard, lacking: [] });
  const { audit } = await showRecording(at.rig, row.id);
  expect(audit.map(({ event }) => event)).toContain('collected from Asterisk');

  return row;
}

it('refuses the folder in which this Asterisk records: it would remove there what it has collected', async () => {
  const config = parse(readFileSync(at.rig.configFile, 'utf8')) as Record<string, Record<string, unknown>>;
  const { spoolFolder } = at.rig.asterisk;
  const file = join(at.rig.folder, 'wrong.yaml');
  writeFileSync(file, stringify({ ...config, recording: { ...config['recording'], spoolFolder } }), { mode: 0o600 });
  const serve = await at.rig.preavis('--config', file, 'serve');
  expect(serve.code).toBe(1);
  expect(serve.stderr).toContain(
    `preavis: spool_unusable: recording.spoolFolder ${spoolFolder} is where this Asterisk records`,
  );
  expect(atAsterisk()).toEqual([]);
});

it('brings recordings of both ways over ARI, removes them at Asterisk, and archives them', async () => {
  const { rig } = at;
  await rig.startServe();
  const check = await rig.preavisJson<{ checks: { check: string; ok: boolean }[] }>('check');
  expect(check.checks).toContainEqual({ check: 'recordings at asterisk', ok: true });
  const rows = await at.onTime(['bridge', 'follow'], async () => {
    await beginAnew();
    await allOver(['bridge', 'follow'].map(callTo));
    return [await expectCollected('bridge'), await expectCollected('follow')];
  });
  expect(inSpool()).toEqual(rows.map(({ id }) => `preavis-${id}.wav`).sort());
  expect(await rig.preavis('upload')).toMatchObject({ code: 0 });
  expect(inSpool()).toEqual([]);
  for (const { id, sha256 } of rows) {
    const { objectKey, status } = await showRecording(rig, id);
    expect(status).toBe('archived');
    const hash = createHash('sha256');
    for await (const chunk of await s3.client.getObject(rigBucket, objectKey ?? '')) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(sha256);
  }
  await rig.stopServe();
});

it('loses nothing and has nothing twice, wherever serve is killed while it collects', async () => {
  const { rig } = at;
  const before = (await catalogueRecordings(rig)).length;
  await at.onTime('killed', async () => {
    await beginAnew();
    await rig.stopServe();
    for (const [index, step] of steps.entries()) {
      // The next one begins with what the one before has left.
      await rig.startServe({ PREAVIS_TEST_KILL_AT: step });
      if (index === 0) await callTo('killed');
      await eventually(() => rig.servePid() === undefined);
      await rig.killServe();
      expect([step, (await catalogueRecordings(rig))[0]?.status]).toEqual([step, 'recording']);
    }
    expect(atAsterisk()).toEqual([]);
    await rig.startServe();
    const { id } = await expectCollected('killed');
    expect(inSpool()).toEqual([`preavis-${id}.wav`]);
  });
  expect(await catalogueRecordings(rig)).toHaveLength(before + 1);
  await rig.stopServe();
});

it('waits for an Asterisk that goes away between the two readings, and then brings the whole recording', async () => {
  const { rig } = at;
  const trail = folder.path('trail');
  const said = (msg: string): number => rig.log().filter((each) => each['msg'] === msg).length;
  const [later, again] = [
    'recordings not collected from Asterisk; will retry',
    'recordings collected from Asterisk again',
  ];
  await at.onTime('away', async () => {
    await beginAnew();
    await rig.stopServe();
    rmSync(trail, { force: true });
    const before = { later: said(later), again: said(again) };
    await rig.startServe({ PREAVIS_TEST_STOP_AT: 'collect, copied', PREAVIS_TEST_TRAIL: trail });
    await callTo('away');
    await eventually(() => readFileSync(trail, 'utf8').includes('collect, copied'));
    await rig.asterisk.kill();
    process.kill(rig.servePid() ?? NaN, 'SIGCONT');
    await eventually(() => said(later) === before.later + 1);
    expect((await catalogueRecordings(rig))[0]).toMatchObject({ status: 'recording' });
    await rig.asterisk.start();
    await expectCollected('away');
    // Behind the end of the pass, which is behind that of the recording.
    await eventually(() => said(again) === before.again + 1);
  });
  await rig.stopServe();
});

it('leaves nothing to hear of a talk that ended while nobody watched: when it ended is not known', async () => {
  const { rig } = at;
  await rig.startServe();
  const placed = await at.keep(
    placeCall({ sipPort: rig.asterisk.sipPort, to: 'unseen', tone: await continuousTone(callerHz) }),
  );
  await eventually(async () => {
    const [call] = await catalogueCalls(rig);
    const [row] = await catalogueRecordings(rig);
    expect(call?.line).toBe('unseen');
    expect([row?.callId, typeof row?.startedAt]).toEqual([call?.id, 'number']);
    const file = atAsterisk().find((name) => name.includes(row?.id ?? '')) ?? '';
    expect(statSync(join(rig.asterisk.spoolFolder, file)).size).toBeGreaterThan(8_000);
  });
  await rig.killServe();
  await patient.endCall();
  expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  await rig.startServe();
  await endedCall(rig, 'unseen');
  const row = await finishedRecording(rig, 'unseen');
  expect(row.flags).toContain('unwatched_blanked');
  const samples = readWav(wavOf(row));
  expect(samples.length).toBeGreaterThan(0);
  expect(rms(samples)).toBe(0);
  await eventually(() => {
    expect(atAsterisk()).toEqual([]);
  });
});
