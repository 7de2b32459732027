import { nothingTried, type Capabilities, type Trial } from '../../../src/store/capabilities.ts';
import {
  protectionNotes,
  protectionProblems,
  type AskingPurposes,
  type SeenArchive,
} from '../../../src/archive/protection.ts';
import type { PurposeLock } from '../../../src/config/objectLockModes.ts';

const able: Capabilities = {
  versioning: 'on',
  objectLock: 'on',
  defaultRetention: 'none',
  lifecycle: 'rules',
  encryption: 'sse-s3',
};
const proved: Trial = {
  put: 'yes',
  get: 'yes',
  list: 'yes',
  listVersions: 'yes',
  listUploads: 'yes',
  delete: 'yes',
  putRetention: 'yes',
  getRetention: 'yes',
  lockHolds: 'yes',
  bypassGovernance: 'no',
  checksum: 'sha256',
};

const archive = (
  capabilities: Partial<Capabilities> = {},
  trial: Partial<Trial> = {},
  kind: SeenArchive['kind'] = 'minio',
): SeenArchive => ({
  kind,
  bucket: 'calls',
  encrypted: null,
  capabilities: { ...able, ...capabilities },
  trial: { ...proved, ...trial },
});

const purposes = (lock: PurposeLock): AskingPurposes => ({
  training: { lock: 'none', kind: 'training', consent: 'optOut', keepDays: 28 },
  mifid: { lock, kind: 'obligation', consent: 'announce', keepDays: 1_826 },
});

const found = (asked: AskingPurposes, seen: SeenArchive): string[] =>
  protectionProblems(asked, seen).map(({ severity, code }) => `${severity} ${code}`);

test.each<[string, PurposeLock, SeenArchive, string[]]>([
  ['an able bucket', 'compliance', archive(), []],
  ['nobody asks, and there is none', 'none', archive({ objectLock: 'off' }, nothingTried), []],
  ['there is none', 'governance', archive({ objectLock: 'off' }), ['refusal archive_unprotected']],
  ['a folder', 'compliance', archive({ objectLock: 'off' }, {}, 'directory'), ['refusal archive_unprotected']],
  ['it may not be set', 'compliance', archive({}, { putRetention: 'no' }), ['refusal archive_unprotected']],
  ['it may not be read', 'compliance', archive({}, { getRetention: 'no' }), ['refusal archive_unprotected']],
  ['it does not hold', 'compliance', archive({}, { lockHolds: 'no' }), ['refusal archive_unprotected']],
  [
    'nothing can be seen',
    'compliance',
    archive({ objectLock: 'unknown' }, nothingTried),
    ['warning archive_unprotected'],
  ],
  ['it cannot be asked for, but holds', 'compliance', archive({ objectLock: 'unknown' }), []],
  ['we may bypass it', 'governance', archive({}, { bypassGovernance: 'yes' }), ['warning archive_unprotected']],
  ['we may bypass another mode', 'compliance', archive({}, { bypassGovernance: 'yes' }), []],
])('what purposes ask for and the archive has not: %s', (_, lock, seen, problems) => {
  expect(found(purposes(lock), seen)).toEqual(problems);
});

test.each<[string, Record<string, PurposeLock>, string]>([
  ['one purpose asks', { mifid: 'governance' }, 'mifid asks for an Object Lock, and'],
  ['several ask', { mifid: 'governance', orders: 'compliance' }, 'mifid, orders ask for an Object Lock, and'],
])('what is told is grammatical where %s', (_, locks, words) => {
  const asked: AskingPurposes = Object.fromEntries(
    Object.entries(locks).map(([id, lock]) => [id, { lock, kind: 'obligation', consent: 'announce', keepDays: 1_826 }]),
  );
  const [problem] = protectionProblems(asked, archive({ objectLock: 'off' }));
  expect(problem?.problem).toContain(words);
});

test('a bucket that locks all for longer than a purpose is kept is a fault, and names those purposes', () => {
  const locking = (days: number) => archive({ defaultRetention: { mode: 'compliance', days } });
  expect(found(purposes('none'), locking(27))).toEqual([]);
  expect(found(purposes('none'), locking(28))).toEqual(['fault archive_retention_too_long']);
  expect(protectionProblems(purposes('none'), locking(28))[0]?.problem).toMatch(
    /28 days \(compliance\).*training cannot/,
  );
});

test('a lock of what a caller may object to is for people to judge', () => {
  const asked: AskingPurposes = { training: { lock: 'governance', kind: 'training', consent: 'optOut', keepDays: 28 } };
  expect(found(asked, archive())).toEqual(['warning archive_locked']);
});

test('each problem says what to change, for MinIO and AWS', () => {
  const [none] = protectionProblems(purposes('compliance'), archive({ objectLock: 'off' }));
  expect(none?.hint).toMatch(/mc mb --with-lock .*aws s3api create-bucket --object-lock-enabled-for-bucket/);
  const bare = archive({ versioning: 'off', objectLock: 'off', lifecycle: 'none', encryption: 'none' });
  const notes = protectionNotes(bare).join('\n');
  for (const command of [
    'mc version enable store/calls',
    'mc encrypt set sse-s3 store/calls',
    'put-bucket-versioning',
  ]) {
    expect(notes).toContain(command);
  }
  expect(protectionNotes(archive())).toEqual([]);
});

test.each<[string, SeenArchive['encrypted'], boolean]>([
  ['nobody does', null, true],
  ['Préavis does', { mode: 'client', keyId: '0123456789abcdef' }, false],
  ['the store is asked to, object by object', { mode: 'server' }, false],
])(
  'a bucket that does not encrypt by itself is to be changed where nobody else encrypts: %s',
  (_, encrypted, isTold) => {
    const notes = protectionNotes({ ...archive({ encryption: 'none' }), encrypted }).join('\n');
    expect(notes.includes('mc encrypt set')).toBe(isTold);
  },
);
