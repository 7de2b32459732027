import { cp } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { encryptionOf } from '../../../../src/receipt/receipt.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { keyringOf, newKey } from '../../../support/archive/encryption.ts';
import { archivedCall } from '../../../support/retention/erasing.ts';
import { legalHold, move, plainly } from '../../../support/archive/moving.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { keysOf } from '../../../support/archive/uploadStage.ts';

/** What a move tells and notes of what it has found, on real folders and a real S3 server. */

const folder = temporaryFolder();
const open = catalogues();
const s3 = useS3Server({ plain: {}, locked: { objectLock: true } });
let stages = 0;

const bucket = (name: 'plain' | 'locked', prefix: string): EncryptedStore =>
  plainly(makeMinioStore({ ...s3.server, useTls: false, bucket: name, prefix }));

async function stageIn(source: EncryptedStore): Promise<ArchiveStage> {
  const set = await archiveStage(folder.path(`${stages}`), open);
  await source.check();

  return { ...set, store: source };
}

beforeEach(() => {
  stages += 1;
});

describe('the audit trail names the encryption of what lies there', () => {
  test.each(['another key', 'no key'])('where objects were brought that are under %s', async (under) => {
    const [before, now] = [newKey(), newKey()];
    const at = (name: string): string => folder.path(`${stages}/${name}`);
    const first = under === 'no key' ? undefined : before;
    const source = makeEncryptedStore(makeDirectoryStore({ folder: at('old') }), keyringOf(first));
    const set = await stageIn(source);
    const { id } = await archivedCall(set);
    await cp(at('old'), at('new'), { recursive: true });
    const target = makeEncryptedStore(makeDirectoryStore({ folder: at('new') }), keyringOf(now, before));

    const moved = await move(set, { source: undefined, target });
    expect(moved).toMatchObject({ moved: 1, otherEncryption: [id] });
    expect(encryptionOf(await set.catalogue.auditTrail.of(id))).toEqual(
      first === undefined ? null : { mode: 'client', keyId: before.id },
    );
    // So check opens one of them, and misses a key that was taken out too early.
    expect(await set.catalogue.archiveCopies.archiveKeys(target.location)).toMatchObject(
      first === undefined ? [] : [{ keyId: before.id, recordings: 1 }],
    );
  });

  test('also where the move itself has put them there', async () => {
    const key = newKey();
    const source = plainly(makeDirectoryStore({ folder: folder.path(`${stages}/old`) }));
    const set = await stageIn(source);
    const { id } = await archivedCall(set);
    const store = makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain', prefix: `${stages}/new` });
    const target = makeEncryptedStore(store, keyringOf(key));
    expect(await move(set, { source, target })).toMatchObject({ moved: 1, otherEncryption: [] });
    expect(encryptionOf(await set.catalogue.auditTrail.of(id))).toEqual({ mode: 'client', keyId: key.id });
  });
});

describe('a legal hold in the earlier archive', () => {
  const hold = async (source: EncryptedStore, name: string, status: 'ON' | 'OFF', prefix: string): Promise<void> => {
    const versionId = (await source.stat(name))?.versionId ?? '';
    await legalHold(s3.client, `${prefix}/${name}`, { bucket: 'locked', versionId, status });
  };

  test('is told by the next move where one has ended early, until the new archive has it', async () => {
    const prefix = `${stages}/old`;
    const source = bucket('locked', prefix);
    const set = await stageIn(source);
    const calls = [await archivedCall(set), await archivedCall(set)];
    const names = calls.map((call) => keysOf(call).wav);
    for (const name of names) await hold(source, name, 'ON', prefix);
    const target = bucket('locked', `${stages}/new`);
    let puts = 0;
    const full: EncryptedStore = {
      ...target,
      putSource: (...given) =>
        (puts += 1) > 1
          ? Promise.reject(new PreavisError('archive_full', 'there is no room'))
          : target.putSource(...given),
    };
    await expect(move(set, { source, target: full })).rejects.toMatchObject({ code: 'archive_full' });

    const again = await move(set, { source, target });
    expect(again).toMatchObject({ moved: 1, holdsUnknown: [] });
    expect(again.legalHolds.sort()).toEqual(calls.map(({ id }) => id).sort());
    for (const name of names) await hold(target, name, 'ON', `${stages}/new`);
    expect(await move(set, { source, target })).toMatchObject({ moved: 0, legalHolds: [] });
  });

  test('that cannot be asked for is told as that', async () => {
    const source = bucket('locked', `${stages}/old`);
    const set = await stageIn(source);
    const { id } = await archivedCall(set);
    const protection = (): Promise<never> => Promise.reject(new PreavisError('archive_denied', 'not for you'));
    const target = bucket('plain', `${stages}/new`);
    expect(await move(set, { source: { ...source, protection }, target })).toMatchObject({
      ...{ moved: 1, legalHolds: [], holdsUnknown: [id] },
    });
  });
});

test.each([
  ['certificates/', ''],
  ['', 'certificates/'],
])('an archive below the other one is refused: %p and %p', async (below, other) => {
  const source = bucket('plain', `${stages}/cer/${below}`);
  const set = await stageIn(source);
  await archivedCall(set);
  const target = bucket('plain', `${stages}/cer/${other}`);
  await expect(move(set, { source, target })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('lies in the other') as string,
  });
  // A name that only begins the same is another place.
  const beside = bucket('plain', `${stages}/cer-other`);
  expect(await move(set, { source, target: beside }, { dryRun: true })).toMatchObject({ moved: 1 });
});
