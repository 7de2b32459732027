import { mkdir, stat, unlink } from 'node:fs/promises';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { sourceOf } from '../../../src/archive/fetch.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { eraseRecording } from '../../../src/retention/erasure.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { reconcileJob } from '../../../src/retention/reconcile/job.ts';
import { reconcile, type Discrepancy } from '../../../src/retention/reconcile/reconcile.ts';
import { ArchiveSharing } from '../../../src/retention/reconcile/sharing.ts';
import { asks, askServe } from '../../../src/services/askServe.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** Two PBXs, each with a recording folder of its own, on one catalogue and one archive. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
let pairs = 0;

type Pbx = ArchiveStage & { pbx: string };

async function pair(): Promise<[Pbx, Pbx]> {
  const shared = folder.path(`${(pairs += 1)}`);
  const at = async (pbx: string): Promise<Pbx> => {
    const own = `${shared}/${pbx}`;
    await mkdir(own, { recursive: true });
    const there = await archiveStage(own, (_file, clock): Catalogue =>
      open(`${shared}/catalogue.db`, clock, [], { pbx, application: 'preavis' }),
    );

    return { ...there, pbx };
  };
  const north = await at('north');
  const south = await at('south');

  return [
    north,
    {
      ...south,
      store: north.store,
      signer: north.signer,
      trusts: north.trusts,
      ledger: north.ledger,
      isRemovalProved: north.isRemovalProved,
    },
  ];
}

const finished = (at: Pbx) =>
  at.finished(undefined, { shape: { asterisk: { version: '22.0.0', node: 'node', pbx: at.pbx } } });
const upload = (at: Pbx) => uploadPass(at, { waitMs: 0, signal: never });

async function compared(at: Pbx, sharing?: ArchiveSharing): Promise<Discrepancy[]> {
  const findings: Discrepancy[] = [];
  const found = (finding: Discrepancy): void => {
    findings.push(finding);
  };
  await reconcile({ ...at, repairs: at }, { verify: false, waitMs: 0, signal: never, sharing, found });

  return findings;
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

test('an upload at one sends what lies there, while another upload goes on at the other', async () => {
  const [north, south] = await pair();
  const [one, two] = [await finished(north), await finished(south)];
  await north.catalogue.leases.take('upload:south', { id: 'x', host: 'x', pid: 1, machine: null, started: null });
  expect(await upload(north)).toMatchObject({ sent: 1, waiting: 0 });
  await expect(upload(south)).rejects.toMatchObject({ code: 'job_busy' });
  expect((await south.catalogue.recordings.find(one.id))?.status).toBe('archived');
  expect((await south.catalogue.recordings.find(two.id))?.status).toBe('recorded');
});

test('a reconciliation finds nothing missing that lies at the other, and what is missing at itself', async () => {
  const [north, south] = await pair();
  const [, two] = [await finished(north), await finished(south)];
  expect(await compared(north)).toEqual([]);
  await unlink(two.file);
  expect(await compared(north)).toEqual([]);
  expect(await compared(south)).toMatchObject([{ recording: two.id }]);
});

test('the archive is compared by whoever comes first, and again by nobody for half a day, but for who asks', async () => {
  const [north, south] = await pair();
  const { id } = await finished(north);
  await upload(north);
  const [ofNorth, ofSouth] = [new ArchiveSharing(north.clock.at), new ArchiveSharing(south.clock.at)];
  expect(await compared(north, ofNorth)).toEqual([]);
  const wav = [...(await north.objects()).keys()].find((key) => key.endsWith('.wav')) ?? '';
  await unlink(`${north.store.location}/${wav}`);
  expect(await compared(south, ofSouth)).toEqual([]);
  expect(await compared(south)).toMatchObject([{ recording: id }]);
  south.clock.at += dayMs / 4;
  expect(await compared(south, ofSouth)).toEqual([]);
  south.clock.at += dayMs / 2;
  expect(await compared(south, ofSouth)).toMatchObject([{ recording: id }]);
});

test('what a PBX has found in the archive it finds again, until another one has compared it', async () => {
  const [north, south] = await pair();
  const { id } = await finished(north);
  await upload(north);
  const wav = [...(await north.objects()).keys()].find((key) => key.endsWith('.wav')) ?? '';
  await unlink(`${north.store.location}/${wav}`);
  const job = async (at: Pbx, sharing: ArchiveSharing): Promise<unknown> => {
    let left: unknown;
    const counted = (counts: unknown): void => {
      left = counts;
    };
    await reconcileJob({ ...at, repairs: at }, never, counted, sharing);

    return left;
  };
  const told = ({ lines }: Pbx): unknown => lines.at(-1)?.msg;
  const ofNorth = new ArchiveSharing(north.clock.at);
  for (const hours of [0, 6]) {
    north.clock.at += (hours * dayMs) / 24;
    expect(await job(north, ofNorth)).toEqual({ objectMissing: 1 });
    expect(told(north)).toBe('spool, catalogue and archive inconsistent');
  }
  south.clock.at = north.clock.at + 1;
  // Whoever has begun since then looks at everything: the catalogue may have been put back.
  const ofSouth = new ArchiveSharing(south.clock.at);
  expect(await job(south, ofSouth)).toEqual({ objectMissing: 1 });
  north.clock.at += 2;
  expect(await job(north, ofNorth)).toEqual({});
  expect(told(north)).toBe('spool and catalogue consistent');
  expect((await north.catalogue.recordings.find(id))?.status).toBe('archived');
});

test('one that waits for the turn of another ends with its process', async () => {
  const [north] = await pair();
  const holder = { id: 'x', host: 'x', pid: 1, machine: null, started: null };
  for (const job of ['retention', 'reconcile']) await north.catalogue.leases.take(job, holder);
  const stopping = new AbortController();
  const busy = expect.objectContaining({ code: 'job_busy' }) as unknown;
  const waiting = [
    retentionPass(north, { dryRun: false, waitMs: 3_600_000, stopping: stopping.signal, signal: never }),
    reconcileJob({ ...north, repairs: north }, stopping.signal, () => undefined, new ArchiveSharing(0)),
  ].map((each) => each.catch((error: unknown) => error));
  stopping.abort();
  expect(await Promise.all(waiting)).toEqual([busy, busy]);
});

test('what another PBX has archived is erased here, and the certificate says nothing of the folder there', async () => {
  const [north, south] = await pair();
  const localFile = async (at: Pbx, by: Pbx): Promise<unknown> => {
    const { id } = await finished(at);
    await upload(at);
    const row = await by.catalogue.recordings.find(id);
    if (row === undefined) throw new Error('no recording');
    const { jws } = await eraseRecording(row, { rule: 'due' }, by);
    const { content } = await readCertificate(jws);

    return content.verification.localFile;
  };
  expect(await localFile(south, north)).toBe('not looked at');
  expect(await localFile(south, south)).toBe('not there');
});

test('what is due and not archived is erased by its own PBX alone, with its name in the certificate', async () => {
  const [north, south] = await pair();
  const { id, file } = await finished(south);
  const keepUntil = (await south.catalogue.recordings.find(id))?.keepUntil ?? 0;
  for (const each of [north, south]) each.clock.at = keepUntil;
  const row = await north.catalogue.recordings.find(id);
  if (row === undefined) throw new Error('no recording');
  const options = { dryRun: false, waitMs: 0, signal: never };
  expect(await retentionPass(north, options)).toMatchObject({ due: 0, erased: 0 });
  const elsewhere = { code: 'recording_elsewhere' };
  await expect(eraseRecording(row, { rule: 'due' }, north)).rejects.toMatchObject(elsewhere);
  await expect(sourceOf(row, north, never)).rejects.toMatchObject(elsewhere);
  expect(await exists(file)).toBe(true);
  expect(await retentionPass(south, options)).toMatchObject({ due: 1, erased: 1 });
  expect(await exists(file)).toBe(false);
  const certificate = await north.catalogue.certificates.last();
  const [, payload = ''] = certificate?.jws.split('.') ?? [];
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ recording: id, pbx: 'south' });
});

test('a call that is on at another PBX is not asked of here', async () => {
  const [north] = await pair();
  const call = { id: 'call' as never, phase: 'talking' as const, application: null, pbx: 'south' };
  const config = { ari: { pbx: 'north' }, catalogue: { store: 'postgres' } } as never;
  await expect(askServe(asks.pause, call, { config, catalogue: north.catalogue })).rejects.toMatchObject({
    message: 'the call is at the PBX south: ask there',
  });
});
