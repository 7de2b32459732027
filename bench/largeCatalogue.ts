/** A catalogue of many calls, as a year of a large house leaves it: for what must not become slow with it. */
import { encodeTime } from 'ulid';
import { makeCallerHash } from '../src/call/plan/preferences.ts';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { openSqlite } from '../src/catalogue/sqlite/sqlite.ts';

export const firstCall = Date.UTC(2026, 0, 1);
export const hashKey = 'a key of the benchmark, of no use elsewhere';
const dayMs = 86_400_000;
const hashOf = makeCallerHash(hashKey, 'BE');

/** `closed` had three calls, long ago. */
export function lineOf(call: number): string {
  if (call % 20_000 === 10_000 && call < 60_000) return 'closed';

  return call % 97 === 0 ? 'rare' : `line-${call % 7}`;
}
export const dialledOf = (call: number): string =>
  `+322555${String(call % 7 === 0 ? 1_000 + (call % 3_000) : 100).padStart(4, '0')}`;
export const extensionOf = (call: number): string => String(100 + (call % 400));
export const numberOf = (call: number): string => `+324${String(70_000_000 + (call % 200_000)).padStart(8, '0')}`;
/** A call each 20 s: a million of them are eight months. */
export const callId = (call: number): string =>
  `${encodeTime(firstCall + call * 20_000, 10)}${String(call).padStart(16, '0')}`;

const purposes = [['training'], ['agreement'], ['training', 'agreement'], ['obligation']];
const wording = { justification: 'A purpose of the benchmark.', legalBasis: 'GDPR art. 6(1)(c)' };
const policy = {
  purposes: {
    training: { ...wording, keepDays: 28 },
    agreement: { ...wording, keepDays: 393 },
    obligation: { ...wording, keepDays: 393 },
  },
};
const languages = [['fr'], ['nl'], ['de'], ['en'], ['fr', 'nl']];
const reasons = ['refused', 'no_consent', 'notice_failed', 'untold_party', 'not_sampled'];

/** Of one hundred calls: recorded, but for ten that were not, five that were not connected and two that were abandoned. */
function resultOf(call: number): { result: string; reason: string | null } {
  const part = call % 100;
  if (part < 83) return { result: 'recorded', reason: null };
  if (part < 93) {
    return { result: 'unrecorded', reason: call % 50_000 === 90 ? 'spool_full' : (reasons[call % 5] ?? null) };
  }

  return { result: part < 98 ? 'notConnected' : 'abandoned', reason: null };
}

function statusOf(call: number): string {
  if (call % 10_007 === 0) return 'failed';
  if (call % 4 === 0) return 'erased';

  return 'archived';
}

function flagsOf(call: number): string[] {
  if (call % 20_011 === 0) return ['unwatched_blanked'];

  return call % 300 === 0 ? ['silent'] : [];
}

/**
 * Makes the file, with so many calls of which most have a recording.
 *
 * @param pbxs to which they came in turn; none: the only one has no name
 */
export function fillCatalogue(file: string, calls: number, pbxs: readonly string[] = []): void {
  openCatalogue(file, { now: () => firstCall }).close();
  const database = openSqlite(file);
  // Nobody else reads it, and what is cut short is made anew: a log of gigabytes would be written twice.
  database.pragma('synchronous = OFF');
  database.pragma('journal_mode = MEMORY');
  database.pragma('cache_size = -1000000');
  database.prepare(`INSERT INTO policies VALUES ('one', ?)`).run(JSON.stringify(policy));
  const call = database.prepare(`
    INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, purposes, languages,
      language_reason, phase, result, reason, recording_id, keep_days, direction, pbx)
    VALUES (?, ?, ?, 'one', '22.5.2', 'node', ?, ?, ?, 'line', 'ended', ?, ?, ?, 393, ?, ?)`);
  const notice = database.prepare(`
    INSERT INTO notices VALUES (?, 0, 'whole', ?, 'This call may be recorded.', ?, 4000, ?, ?, 'verified', NULL, NULL, NULL)`);
  const recording = database.prepare(`
    INSERT INTO recordings (id, call_id, status, notice_finished_at, started_at, finished_at, keep_days, keep_until, bytes,
      duration_ms, sha256, flags, archive, receipt)
    VALUES (?, ?, ?, ?, ?, ?, 393, ?, 960044, 60000, ?, ?, '/archive', ?)`);
  const end = database.prepare(`INSERT INTO recording_purposes VALUES (?, ?, ?)`);
  const caller = database.prepare(`INSERT INTO callers VALUES (?, ?, NULL)`);
  const extension = database.prepare(`INSERT INTO extensions VALUES (?, ?)`);
  const dialled = database.prepare(`INSERT INTO dialled VALUES (?, ?)`);
  const hold = database.prepare(`
    INSERT INTO holds (id, recording_id, call_id, ground, reason, author, set_at, review_at, expires_at)
    VALUES (@id, @id, @id, 'dispute', 'claim', 'user', @at, @reviewAt, @expiresAt)`);
  const mark = database.prepare(`INSERT INTO changes (call_id, change, at) VALUES (?, ?, ?)`);
  const receipt = 'r'.repeat(3_000);
  database.transaction(() => {
    for (let index = 0; index < calls; index += 1) {
      const id = callId(index);
      const at = firstCall + index * 20_000;
      const { result, reason } = resultOf(index);
      const own = purposes[index % purposes.length] ?? [];
      const spoken = languages[index % languages.length] ?? [];
      const direction = index % 50 === 0 ? 'outgoing' : 'incoming';
      call.run(
        id,
        at,
        at + 60_000,
        lineOf(index),
        JSON.stringify(own),
        JSON.stringify(spoken),
        result,
        reason,
        id,
        direction,
        pbxs[index % pbxs.length] ?? null,
      );
      notice.run(id, spoken[0], 'f'.repeat(64), at + 1_000, at + 5_000);
      caller.run(id, hashOf(numberOf(index)));
      extension.run(id, extensionOf(index));
      if (direction === 'incoming') dialled.run(id, dialledOf(index));
      if (reason === 'spool_full') mark.run(id, 'turnedAway', at);
      if (result !== 'recorded') continue;
      const status = statusOf(index);
      const kept = status === 'erased' ? null : receipt;
      recording.run(
        id,
        id,
        status,
        at + 5_000,
        at + 6_000,
        at + 60_000,
        at + 393 * dayMs,
        'f'.repeat(64),
        JSON.stringify(flagsOf(index)),
        kept,
      );
      for (const purpose of own) end.run(id, purpose, at + (purpose === 'training' ? 28 : 393) * dayMs);
      if (index % 5_003 === 0) hold.run({ id, at, reviewAt: at + 180 * dayMs, expiresAt: at + 3_650 * dayMs });
      if (index % 1_009 === 0) mark.run(id, 'exemplaryMarked', at);
    }
  })();
  database.pragma('journal_mode = WAL');
  database.close();
}
