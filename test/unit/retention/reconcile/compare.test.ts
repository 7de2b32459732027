import { idOfKey } from '../../../../src/store/objectKeys.ts';
import { readFileSync } from 'node:fs';
import { recordingStatuses, type RecordingStatus } from '../../../../src/catalogue/statuses.ts';
import type { RecordingId } from '../../../../src/core/ids.ts';
import {
  compare,
  compareObject,
  discrepancyKinds,
  type ObjectFacts,
  type RecordingFacts,
} from '../../../../src/retention/reconcile/compare.ts';

const now = 1_787_000_000_000;
const right = { bytes: 100, sha256: 'a'.repeat(64) };
const shorter = { ...right, bytes: 99 };
const other = { ...right, sha256: 'b'.repeat(64) };
const receiptDigest = { bytes: 7, sha256: 'c'.repeat(64) };
const missing: ObjectFacts = { state: 'missing' };
const unread: ObjectFacts = { state: 'there', bytes: 100, sha256: undefined };
const whole: ObjectFacts = { state: 'there', ...right };
const wholeReceipt: ObjectFacts = { state: 'there', ...receiptDigest };
const someVersion: ObjectFacts = { state: 'there', bytes: undefined, sha256: undefined };
const file = { writtenAt: now - 3_600_000, digest: right };

const facts = (status: RecordingStatus, given: Partial<RecordingFacts> = {}): RecordingFacts => ({
  row: { status, ...right, finishedAt: now - 3_600_000, startedAt: now - 3_700_000, noticeFinishedAt: now - 3_800_000 },
  now,
  callEnded: true,
  file: undefined,
  elsewhere: false,
  wav: undefined,
  receipt: undefined,
  receiptDigest,
  isInArchive: false,
  isRemovalProved: status === 'erased' || status === 'discarded',
  erasureBegun: undefined,
  ...given,
});
const archived = (given: Partial<RecordingFacts> = {}): RecordingFacts =>
  facts('archived', { wav: unread, receipt: { ...wholeReceipt, sha256: undefined }, ...given });

describe('nothing is found', () => {
  test.each<[string, RecordingFacts]>([
    ['in a call that goes on', facts('recording', { callEnded: false, file })],
    ['in a call that has just ended', facts('recording', { file: { ...file, writtenAt: now - 59_999 } })],
    ['in a recording that waits with its whole file', facts('recorded', { file })],
    ['in an archived one with its objects, unread', archived()],
    ['in an archived one with its objects, read back', archived({ wav: whole, receipt: wholeReceipt })],
    ['in an archived one whose receipt the catalogue does not have', archived({ receiptDigest: undefined })],
    ['in an erased one of which nothing is left', facts('erased', { wav: missing, receipt: missing })],
    ['in a discarded one without a file', facts('discarded')],
    ['in a lost one that stays away', facts('lost')],
    ['in a failed one with its file', facts('failed', { file })],
  ])('%s', (_, given) => {
    expect(compare(given)).toEqual([]);
  });
});

describe('it is found', () => {
  test.each<[string, RecordingFacts, string[]]>([
    ['that an ended call was not finished', facts('recording', { file }), ['unfinished spool']],
    [
      'that an ended call was not finished before the clock was put back',
      facts('recording', { file: { ...file, writtenAt: now + 3_600_000 } }),
      ['unfinished spool'],
    ],
    ['that an ended call has no file', facts('recording'), ['unfinishedFileMissing spool']],
    ['that what waits has no file', facts('recorded'), ['recordedFileMissing spool']],
    [
      'that what waits is shorter',
      facts('recorded', { file: { ...file, digest: shorter } }),
      ['recordedFileDiffers spool'],
    ],
    [
      'that what waits has other bytes',
      facts('recorded', { file: { ...file, digest: other } }),
      ['recordedFileDiffers spool'],
    ],
    ['that the WAV is missing', archived({ wav: missing }), ['objectMissing wav']],
    ['that the WAV has another size', archived({ wav: { state: 'there', ...shorter } }), ['objectDiffers wav']],
    ['that the WAV has other bytes', archived({ wav: { state: 'there', ...other } }), ['objectDiffers wav']],
    [
      'that something lies over the WAV',
      archived({ wav: { state: 'covered', bytes: undefined, sha256: undefined } }),
      ['objectCovered wav'],
    ],
    ['that a covered WAV has other bytes', archived({ wav: { state: 'covered', ...other } }), ['objectDiffers wav']],
    ['that the receipt is missing', archived({ receipt: missing }), ['receiptMissing receipt']],
    [
      'that the receipt has another size',
      archived({ receipt: { state: 'there', bytes: 8, sha256: undefined } }),
      ['receiptDiffers receipt'],
    ],
    [
      'that the receipt has other bytes',
      archived({ receipt: { ...wholeReceipt, sha256: 'd' } }),
      ['receiptDiffers receipt'],
    ],
    [
      'that WAV and receipt are missing',
      archived({ wav: missing, receipt: missing }),
      ['objectMissing wav', 'receiptMissing receipt'],
    ],
    ['that it lies elsewhere', archived({ elsewhere: true, wav: undefined, receipt: undefined }), ['otherArchive wav']],
    ['that the local file is left', archived({ wav: whole, file }), ['localFileLeft spool']],
    [
      'that the local file is another',
      archived({ wav: whole, file: { ...file, digest: other } }),
      ['localFileDiffers spool'],
    ],
    [
      'that an erasure was not finished',
      archived({ wav: missing, receipt: missing, erasureBegun: now - 3_600_000 }),
      ['erasureUnfinished wav'],
    ],
    ['that an erased file is back', facts('erased', { file }), ['erasedFileLeft spool']],
    [
      'that erased objects are back',
      facts('erased', { wav: someVersion, receipt: someVersion }),
      ['erasedObjectLeft wav', 'erasedObjectLeft receipt'],
    ],
    ['that a discarded file is there', facts('discarded', { file }), ['discardedFileLeft spool']],
    ['that a discarded object is there', facts('discarded', { wav: someVersion }), ['discardedObjectLeft wav']],
    [
      'that a discarded one is there of which the audit trail says no such thing',
      facts('discarded', { file, wav: someVersion, isRemovalProved: false }),
      ['discardUnproved spool', 'discardUnproved wav'],
    ],
    ['that a lost file is there again', facts('lost', { file }), ['lostFileFound spool']],
    ['that a lost one is in the archive', facts('lost', { isInArchive: true }), ['lostObjectFound wav']],
    ['that an ended call has its recording there', facts('recording', { isInArchive: true }), ['lostObjectFound wav']],
    ['that a failed one has lost its file', facts('failed'), ['failedFileMissing spool']],
  ])('%s', (_, given, expected) => {
    expect(compare(given).map(({ kind, place }) => `${kind} ${place}`)).toEqual(expected);
  });
});

describe('the local file of an archived recording', () => {
  test.each<[string, Partial<RecordingFacts>]>([
    ['is missing', { wav: missing }],
    ['was not read back', { wav: unread }],
    ['has another size', { wav: { state: 'there', ...shorter } }],
    ['has other bytes', { wav: { state: 'there', ...other } }],
    ['is covered by a later version', { wav: { state: 'covered', ...right } }],
    ['lies in another archive', { elsewhere: true, wav: undefined, receipt: undefined }],
  ])('may not go when its object %s', (_, given) => {
    const kinds = compare(archived({ ...given, file })).map(({ kind }) => kind);
    expect(kinds).toContain('localFileNeeded');
    expect(kinds).not.toContain('localFileLeft');
  });

  test('may not go when the catalogue has no SHA-256 to compare it with', () => {
    const { row } = archived();
    const unmeasured = archived({ row: { ...row, sha256: null }, wav: whole, file });
    expect(compare(unmeasured).map(({ kind }) => kind)).not.toContain('localFileLeft');
  });

  test('is left to retention once its erasure was begun', () => {
    expect(compare(archived({ wav: whole, file, erasureBegun: now - 3_600_000 }))).toEqual([
      { kind: 'erasureUnfinished', place: 'spool' },
    ]);
  });
});

test('an erasure that has just begun is no finding: it ends in a moment', () => {
  expect(compare(archived({ wav: missing, receipt: missing, erasureBegun: now - 5_000 }))).toEqual([]);
  // The clock was put back since.
  expect(compare(archived({ wav: missing, receipt: missing, erasureBegun: now + 3_600_000 }))).toHaveLength(1);
});

describe('an object', () => {
  const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV' as RecordingId;
  const startedAt = Date.UTC(2026, 7, 24);
  const row = { id, startedAt, noticeFinishedAt: 0, controller: null, objectKey: null, receiptKey: null };
  const base = `recordings/2026/08/24/${id}`;
  const expected: Record<RecordingStatus, ReturnType<typeof compareObject>> = {
    recording: 'unknownObject',
    // An upload was cut short.
    recorded: undefined,
    archived: undefined,
    erased: 'erasedObjectLeft',
    failed: 'unknownObject',
    lost: 'unknownObject',
    discarded: 'discardedObjectLeft',
  };

  test.each(recordingStatuses)('of a recording with status %s is told from one that may be there', (status) => {
    for (const key of [`${base}.wav`, `${base}.json`]) {
      expect(compareObject(key, { ...row, status }, true)).toBe(expected[status]);
    }
  });

  test('that no row knows, or that lies in another place than its row says, is unknown', () => {
    expect(compareObject(`${base}.wav`, undefined, false)).toBe('unknownObject');
    const elsewhere = `recordings/2026/08/25/${id}.wav`;
    expect(compareObject(elsewhere, { ...row, status: 'archived' }, false)).toBe('unknownObject');
    expect(compareObject(elsewhere, { ...row, status: 'archived', objectKey: elsewhere }, false)).toBeUndefined();
  });

  test.each([
    [`${base}.wav`, id],
    [`${base}.json`, id],
    [`${base}.mp3`, undefined],
    [`recordings/${id}.wav`, undefined],
    ['recordings/2026/08/24/somebody.wav', undefined],
    [`x${base}.wav`, undefined],
  ])('under the key %s has the id %s', (key, found) => {
    expect(idOfKey(key)).toBe(found);
  });
});

test('each kind of finding has a meaning and an advice of its own, in one line', () => {
  const entries = Object.values(discrepancyKinds);
  for (const { meaning, advice } of entries) expect(`${meaning}${advice}`).toMatch(/^[^\n]{10,}$/);
  expect(new Set(entries.map(({ meaning }) => meaning)).size).toBe(entries.length);
});

test('each kind of finding is in the table of docs/operations/reconciliation.md', () => {
  const manual = readFileSync(new URL('../../../../docs/operations/reconciliation.md', import.meta.url), 'utf8');
  for (const kind of Object.keys(discrepancyKinds)) expect(manual).toMatch(new RegExp(`^\\|.*\`${kind}\`.* \\| `, 'm'));
});
