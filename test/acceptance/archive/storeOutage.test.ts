import { Client } from 'minio';
import { existsSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { labPurpose, rigBucket } from '../../../lab/rig.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { catalogueRecordings, finishedRecording, showRecording, spooledWav, useRig } from '../../support/rig/rigs.ts';

let store: LabStore;
let client: Client;

beforeAll(async () => {
  store = await startStore();
  await store.makeBucket(rigBucket, { versioning: true });
  client = new Client({ ...store, useSSL: false });
});

afterAll(async () => {
  await store.stop();
});

/** Training ends with the call, agreements are kept: so some of these are due at once. */
const lines: Record<string, string> = {
  outage1: 'agreement',
  outage2: 'agreement',
  due1: 'training',
  due2: 'training',
  kept: 'agreement',
};

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1000, atOnce: 6 }),
  );
  const line = (purpose: string) => ({ purposes: [purpose], language: 'fr', defaultLanguages: ['fr'] });
  const purpose = (keepDays: number) =>
    labPurpose('a test', 'Calls of the lab are recorded to see when they are erased.', keepDays);
  return {
    store,
    extensions: Object.fromEntries(Object.keys(lines).map((name) => [name, `${agent.dialString},20,line=${name}`])),
    config: {
      lines: Object.fromEntries(Object.entries(lines).map(([name, purposeName]) => [name, line(purposeName)])),
      purposes: { training: purpose(0), agreement: { ...purpose(392), kind: 'evidence' } },
    },
  };
});

/** Calls by these lines, at the same time, and their recordings in the spool. */
async function record(...names: string[]): Promise<RecordingRow[]> {
  const tone = await continuousTone(440);
  return Promise.all(
    names.map(async (to) => {
      const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone }));
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });

      return finishedRecording(at.rig, to);
    }),
  );
}

const statusOf = async (id: string): Promise<string | undefined> =>
  (await catalogueRecordings(at.rig)).find((each) => each.id === id)?.status;

/** Every version of every object of this recording, delete markers too. */
async function versionsOf(id: string): Promise<string[]> {
  const found: string[] = [];
  const listing = client.listObjects(rigBucket, '', true, { IncludeVersion: true });
  for await (const item of listing as AsyncIterable<{ name?: string; versionId?: string }>) {
    const isOfRecording = item.name?.startsWith('recordings/') === true && item.name.includes(id);
    if (isOfRecording) found.push(`${item.name}?${item.versionId ?? ''}`);
  }

  return found;
}

it('keeps recordings while the archive is away, says so, and sends them when it is back', async () => {
  const recordings = await record('outage1', 'outage2');
  await store.stopGateway();
  try {
    const [refused, asJson] = [await at.rig.preavis('upload'), await at.rig.preavis('upload', '--json')];
    expect(refused.stderr).toMatch(/^preavis: archive_unreachable: nothing was sent to .*; \d+ recordings wait: .+$/m);
    // Behind the lines of the log, which the rig has at its most talkative.
    expect(JSON.parse(asJson.stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      error: {
        code: 'archive_unreachable',
        message: expect.stringMatching(/^nothing was sent to .*; \d+ recordings wait: .+$/) as string,
      },
    });
    expect(JSON.parse(asJson.stdout)).toMatchObject({ sent: 0 });
    for (const { code, stderr } of [refused, asJson]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/recordings wait in the spool and are sent by a later pass/);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
    for (const { id } of recordings) {
      expect(await statusOf(id)).toBe('recorded');
      expect(existsSync(spooledWav(at.rig, id))).toBe(true);
    }
    const checked = await at.rig.preavis('check');
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(/WRONG {2}archive: .*\[archive_unreachable\]/);
  } finally {
    await store.startGateway();
  }
  expect((await at.rig.preavis('upload')).code).toBe(0);
  for (const { id } of recordings) {
    expect(await statusOf(id)).toBe('archived');
    expect(existsSync(spooledWav(at.rig, id))).toBe(false);
    expect(await versionsOf(id)).toHaveLength(2);
  }
});

it('erases what is due with every version and its receipt, and nothing else', async () => {
  const [first, second, kept] = await record('due1', 'due2', 'kept');
  if (first === undefined || second === undefined || kept === undefined) throw new Error('three calls were placed');
  expect((await at.rig.preavis('upload')).code).toBe(0);
  // Somebody overwrote an object: its older version must go as well.
  const { objectKey } = await showRecording(at.rig, first.id);
  await client.putObject(rigBucket, objectKey ?? '', Buffer.from('something else'));
  expect(await versionsOf(first.id)).toHaveLength(3);

  const before = [await versionsOf(first.id), await versionsOf(second.id), await catalogueRecordings(at.rig)];
  const plan = await at.rig.preavisJson<{ due: number; erased: number; recordings: { id: string }[] }>(
    'retention',
    'run',
    '--dry-run',
  );
  expect(plan).toMatchObject({ due: 2, erased: 0 });
  expect(plan.recordings.map(({ id }) => id).toSorted()).toEqual([first.id, second.id].toSorted());
  expect([await versionsOf(first.id), await versionsOf(second.id), await catalogueRecordings(at.rig)]).toEqual(before);

  const pass = await at.rig.preavis('retention', 'run');
  expect(pass).toMatchObject({ code: 0 });
  expect(pass.stdout).toContain('2 due, 2 erased');
  for (const { id } of [first, second]) {
    expect(await versionsOf(id)).toEqual([]);
    expect(await statusOf(id)).toBe('erased');
    const { audit } = await showRecording(at.rig, id);
    expect(audit.map(({ to }) => to)).toEqual(['recording', 'recorded', 'archived', null, 'erased']);
  }
  expect(await versionsOf(kept.id)).toHaveLength(2);
  expect(await statusOf(kept.id)).toBe('archived');
  expect(await at.rig.preavisJson('retention', 'run')).toMatchObject({ due: 0, erased: 0 });
});
