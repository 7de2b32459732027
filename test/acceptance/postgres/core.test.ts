/** One recording from its notice to its certificate, with the catalogue in PostgreSQL and the archive in S3. */
import { Client } from 'minio';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { claimPorts, type PortBlock } from '../../../lab/machine/ports.ts';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { labPurpose, rigBucket } from '../../../lab/rig.ts';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { eventually } from '../../support/poll.ts';
import {
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  logText,
  showRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

let postgres: LabPostgres;
let store: LabStore;
let client: Client;
let ports: PortBlock;

const line = (purpose: string) => ({ purposes: [purpose], language: 'fr', defaultLanguages: ['fr'] });
const purpose = (keepDays: number) =>
  labPurpose('a test', 'Calls of the lab are recorded to see what becomes of them.', keepDays);
const token = 'prv_token';

// Before that of the rig, which finds nothing left.
afterAll(async () => {
  await at.rig.stopServe();
  ports.release();
  await store.stop();
  await postgres.stop();
});

const at = useRig(async () => {
  postgres = await startPostgres();
  store = await startStore();
  await store.makeBucket(rigBucket, { versioning: true });
  client = new Client({ ...store, useSSL: false });
  ports = await claimPorts(1);
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1500, atOnce: 4 }),
  );

  return {
    store,
    database: await postgres.makeDatabase(),
    extensions: { due: `${agent.dialString},20,line=due`, kept: `${agent.dialString},20,line=kept` },
    config: {
      lines: { due: line('training'), kept: line('agreement') },
      purposes: { training: purpose(0), agreement: { ...purpose(392), kind: 'evidence' } },
      web: { listen: `127.0.0.1:${ports.first}` },
      access: { tokens: { crm: { role: 'officer', sha256: sha256Of(token), expires: '2099-01-01' } } },
    },
  };
});

/** The objects of a recording, with all their versions. */
async function versionsOf(id: string): Promise<string[]> {
  const found: string[] = [];
  const listing = client.listObjects(rigBucket, '', true, { IncludeVersion: true });
  for await (const { name = '' } of listing as AsyncIterable<{ name?: string }>) {
    if (name.startsWith('recordings/') && name.includes(id)) found.push(name);
  }

  return found;
}

async function contentOf(key: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await client.getObject(rigBucket, key)) parts.push(part as Buffer);

  return Buffer.concat(parts);
}

const ask = async (path: string): Promise<Record<string, unknown>> => {
  const url = `http://127.0.0.1:${ports.first}/api/v1${path}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);

  return (await response.json()) as Record<string, unknown>;
};

test('two calls are told, recorded, shown, archived with their receipts; what is due is erased with its certificate', async () => {
  const { rig } = at;
  const tone = await continuousTone(440);
  const rows = await Promise.all(
    ['due', 'kept'].map(async (to) => {
      const call = await at.keep(placeCall({ sipPort: rig.asterisk.sipPort, to, tone }));
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });

      return finishedRecording(rig, to);
    }),
  );
  await expectNobodyConnected(rig);
  const [due, kept] = rows;
  if (due === undefined || kept === undefined) throw new Error('two calls were placed');
  for (const { id, sha256 } of rows) {
    const wav = readFileSync(spooledWav(rig, id));
    expect(createHash('sha256').update(wav).digest('hex')).toBe(sha256);
    const { notice, gapMs } = await showRecording(rig, id);
    expect(notice.map(({ verified }) => verified)).not.toContain(false);
    expect(notice.length).toBeGreaterThan(0);
    expect(gapMs).not.toBeNull();
  }

  const call = await endedCall(rig, 'due');
  const shown = await eventually(() => ask(`/calls/${call.id}`));
  expect(shown).toMatchObject({ call: { id: call.id, line: 'due', result: 'recorded' } });
  expect(((await ask('/calls')) as { calls: { id: string }[] }).calls.map(({ id }) => id)).toHaveLength(2);

  expect(await rig.preavis('upload')).toMatchObject({ code: 0 });
  for (const { id, sha256 } of rows) {
    const { objectKey, status } = await showRecording(rig, id);
    expect([status, existsSync(spooledWav(rig, id))]).toEqual(['archived', false]);
    const stored = await contentOf(objectKey ?? '');
    expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256);
    const receipt = (await versionsOf(id)).find((key) => key.endsWith('.json'));
    const told = JSON.parse((await contentOf(receipt ?? '')).toString()) as Record<string, unknown>;
    expect(told).toMatchObject({ recording: { id, sha256 } });
  }

  expect(await rig.preavisJson('retention', 'run')).toMatchObject({ due: 1, erased: 1 });
  expect(await versionsOf(due.id)).toEqual([]);
  expect(await versionsOf(kept.id)).toHaveLength(2);
  const { audit } = await showRecording(rig, due.id);
  expect(audit.map(({ to }) => to)).toEqual(['recording', 'recorded', 'archived', null, 'erased']);
  expect(await rig.preavisJson('certificates', 'list')).toMatchObject({
    certificates: [{ recording: due.id }],
  });
  expect(await rig.preavis('certificates', 'verify')).toMatchObject({ code: 0 });
});

test('a second start finds the same catalogue, and check finds nothing wrong with it', async () => {
  const { rig } = at;
  await rig.stopServe();
  await rig.startServe();
  const { checks } = await rig.preavisJson<{ checks: { check: string; ok: boolean }[] }>('check');
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ check }) => check)).toContain('catalogue');
});

test('neither log nor configuration has the password of the database', () => {
  const { rig } = at;
  const { password } = new URL(rig.database ?? '');
  expect([logText(rig), readFileSync(rig.configFile, 'utf8')].map((text) => text.includes(password))).toEqual([
    false,
    false,
  ]);
});
