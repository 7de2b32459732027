import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { eraseRecording } from '../../../src/retention/erasure.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { due, erasePass } from '../../support/retention/erasing.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What clocks disagree about is not erased without a human, in a folder and on a real S3 server, archived or not. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const off = 60 * dayMs;
const now = callStart + 200_000;
const bucket = 'doubts';
const s3 = useS3Server({ [bucket]: { versioning: true } });
let stages = 0;

async function stage(kind: 'folder' | 'S3'): Promise<ArchiveStage> {
  const prefix = `stage-${(stages += 1)}/`;
  const set = await archiveStage(folder.path(prefix.slice(0, -1)), open);

  return kind === 'folder' ? set : { ...set, store: makeMinioStore({ ...s3.server, useTls: false, bucket, prefix }) };
}

/** Asterisk was 60 days behind: by its clock the recording is over for long. */
async function behind(set: ArchiveStage): Promise<RecordingId> {
  set.clock.at = now + off;
  return (await set.finished(undefined, { idsAt: callStart + off })).id;
}

const upload = (set: ArchiveStage) => uploadPass(set, { waitMs: 0, signal: never });
const eventsOf = async (set: ArchiveStage, id: RecordingId): Promise<string[]> =>
  (await set.catalogue.auditTrail.of(id)).map(({ event }) => event);

describe.each(['folder', 'S3'] as const)('in a %s, a call of an Asterisk whose clock is 60 days behind', (kind) => {
  test('is not erased before it is archived, nor after, however long nobody decides', async () => {
    const set = await stage(kind);
    const id = await behind(set);
    expect(await erasePass(set)).toMatchObject({ due: 0, erased: 0, doubtful: 1 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
    await upload(set);
    for (const days of [0, 6, 12, 18, 24, 30, 36]) {
      set.clock.at = now + off + days * dayMs;
      expect(await erasePass(set)).toMatchObject({ due: 0, erased: 0, doubtful: 1 });
    }
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(await set.catalogue.certificates.of(id)).toEqual([]);
  });

  test('is erased when it is due by what somebody has decided, with a certificate', async () => {
    const set = await stage(kind);
    const id = await behind(set);
    await upload(set);
    await set.catalogue.clockDoubts.settle(id, recorderEnd + off, 'operator');
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      keptFrom: recorderEnd + off,
      keepUntil: due + off,
    });
    expect(await set.catalogue.recordings.purposeEnds(id)).toEqual([{ purpose: 'training', keepUntil: due + off }]);
    // A pass each few days, as in life: a clock that is weeks beyond the last one is not believed.
    for (let at = now + off; at < due + off; at += 6 * dayMs) {
      set.clock.at = at;
      expect(await erasePass(set)).toMatchObject({ due: 0, doubtful: 0 });
    }
    set.clock.at = due + off;
    expect(await erasePass(set)).toMatchObject({ due: 1, erased: 1 });
    expect(await eventsOf(set, id)).toEqual(
      expect.arrayContaining(['clocks disagree', 'end settled', 'erased and checked']),
    );
    expect(await set.catalogue.certificates.of(id)).toHaveLength(1);
  });
});

describe('a clock that was set after a recording had ended', () => {
  const boot = (ms: number) => ({ boot: '5f0c1c52-0d57-4d3c-a0a5-6a1e7c7f8a11', ms });

  /** Every clock was 60 days off when it was made, and is right at the pass, an hour later. */
  async function set(by: number) {
    const made = await stage('folder');
    const sinceBoot = { ms: 500_000 };
    Object.assign(made.clock, { sinceBoot: () => boot(sinceBoot.ms) });
    const { id } = await made.finished(undefined, { heard: { at: recorderEnd, sinceBoot: boot(500_000 - 120_000) } });
    expect((await made.catalogue.recordings.find(id))?.flags).not.toContain('clock_doubtful');
    sinceBoot.ms += 3_600_000;
    made.clock.at = now + 3_600_000 + by;

    return { ...made, id };
  }

  test('forward: what would be due is kept on, from its age by the clock that nobody can set', async () => {
    const made = await set(off);
    expect(await erasePass(made)).toMatchObject({ due: 0, erased: 0, doubtful: 1 });
    const row = await made.catalogue.recordings.find(made.id);
    expect(Math.abs((row?.keptFrom ?? 0) - recorderEnd - off)).toBeLessThan(1_000);
    expect(row?.keepUntil).toBe((row?.keptFrom ?? 0) + 28 * dayMs);
  });

  test('back: a human is asked long before it would be due, and it is not kept longer by itself', async () => {
    const made = await set(-off);
    expect(await erasePass(made)).toMatchObject({ doubtful: 1 });
    const row = await made.catalogue.recordings.find(made.id);
    expect(Math.abs((row?.keptFrom ?? 0) - recorderEnd + off)).toBeLessThan(1_000);
  });

  test('while its erasure was under way: it is finished, since some of it may be gone already', async () => {
    const made = await set(off);
    await made.catalogue.certificates.beginErasure(made.id, made.clock.at, 'due', {
      event: 'erasure begun',
      actor: 'serve',
    });
    expect(await erasePass(made)).toMatchObject({ due: 1, erased: 1, doubtful: 0 });
  });

  test('after its erasure was tried in vain: a human is asked', async () => {
    const made = await set(off);
    await made.catalogue.certificates.beginErasure(made.id, made.clock.at, 'due', {
      event: 'erasure begun',
      actor: 'serve',
    });
    await made.catalogue.auditTrail.append(made.id, { event: 'erasure interrupted', actor: 'serve' });
    expect(await erasePass(made)).toMatchObject({ due: 0, erased: 0, doubtful: 1 });
  });

  test('by less than ten minutes: nobody is asked', async () => {
    expect(await erasePass(await set(599_000))).toMatchObject({ doubtful: 0 });
  });

  test('is asked about once: what was settled stays so', async () => {
    const made = await set(off);
    await erasePass(made);
    await made.catalogue.clockDoubts.settle(made.id, recorderEnd, 'operator');
    expect(await erasePass(made)).toMatchObject({ due: 1, erased: 1, doubtful: 0 });
  });

  test('shows in the next line of the audit trail where the machine was started anew since', async () => {
    const made = await stage('folder');
    const { id } = await made.finished();
    made.clock.at = now - off;
    await made.finished(undefined, { idsAt: callStart - off });
    made.clock.at = due;
    const { recordings } = await erasePass(made);
    expect(recordings).toContainEqual({ id, keepUntil: due, outcome: 'clock_doubtful' });
  });
});

describe('whose clocks disagree', () => {
  test('is erased for the person whose it is: somebody has decided', async () => {
    const set = await stage('folder');
    const id = await behind(set);
    await upload(set);
    const row = await set.catalogue.recordings.find(id);
    if (row === undefined) throw new Error('there is no row');
    await expect(eraseRecording(row, { rule: 'due' }, set)).rejects.toMatchObject({ code: 'clock_doubtful' });
    await eraseRecording(row, { rule: 'subject', operator: 'operator' }, set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'erased' });
    // Nobody needs to be asked about what is gone.
    expect(await set.catalogue.clockDoubts.count()).toBe(0);
  });

  test('is settled once, and by what is known', async () => {
    const set = await stage('folder');
    const id = await behind(set);
    await set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
    const again = set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
    await expect(again).rejects.toMatchObject({ code: 'doubt_unknown' });
    const unknown = set.catalogue.clockDoubts.settle(
      '01K00000000000000000000000' as RecordingId,
      recorderEnd,
      'operator',
    );
    await expect(unknown).rejects.toMatchObject({ code: 'recording_unknown' });
  });

  test('keeps an end that a person asked for: it is never put back', async () => {
    const set = await stage('folder');
    const id = await behind(set);
    const [end] = await set.catalogue.recordings.purposeEnds(id);
    const asked = now + off + dayMs;
    await set.catalogue.recordings.shorten(
      'training',
      [{ id, from: end?.keepUntil ?? 0, to: asked }],
      'person',
      'operator',
    );
    await set.catalogue.clockDoubts.settle(id, now + off + dayMs / 2, 'operator');
    expect(await set.catalogue.recordings.purposeEnds(id)).toEqual([{ purpose: 'training', keepUntil: asked }]);
    expect((await set.catalogue.recordings.find(id))?.keepUntil).toBe(asked);
  });
});
