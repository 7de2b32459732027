import { mkdir, stat, unlink } from 'node:fs/promises';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { sourceOf } from '../../../src/archive/fetch.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { eraseRecording } from '../../../src/retention/erasure.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { reconcile, type Discrepancy } from '../../../src/retention/reconcile/reconcile.ts';
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

async function compared(at: Pbx, sharesArchive: boolean): Promise<Discrepancy[]> {
  const findings: Discrepancy[] = [];
  const found = (finding: Discrepancy): void => {
    findings.push(finding);
  };
  await reconcile({ ...at, repairs: at }, { verify: false, waitMs: 0, signal: never, sharesArchive, found });

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
  expect(await compared(north, true)).toEqual([]);
  await unlink(two.file);
  expect(await compared(north, true)).toEqual([]);
  expect(await compared(south, true)).toMatchObject([{ recording: two.id }]);
});

test('the archive is compared by whoever comes first, and again by nobody for half a day, but for who asks', async () => {
  const [north, south] = await pair();
  const { id } = await finished(north);
  await upload(north);
  expect(await compared(north, true)).toEqual([]);
  const wav = [...(await north.objects()).keys()].find((key) => key.endsWith('.wav')) ?? '';
  await unlink(`${north.store.location}/${wav}`);
  expect(await compared(south, true)).toEqual([]);
  expect(await compared(south, false)).toMatchObject([{ recording: id }]);
  south.clock.at += dayMs / 4;
  expect(await compared(south, true)).toEqual([]);
  south.clock.at += dayMs / 2;
  expect(await compared(south, true)).toMatchObject([{ recording: id }]);
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
  const call = { id: 'call' as never, phase: 'talking' as const, pbx: 'south' };
  const config = { ari: { pbx: 'north' } } as never;
  await expect(askServe(asks.pause, call, { config, catalogue: north.catalogue })).rejects.toMatchObject({
    message: 'the call is at the PBX south: ask there',
  });
});
