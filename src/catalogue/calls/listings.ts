import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { approvalRow, type ApprovalRow } from '../access/approvals.ts';
import { legalHoldRow, type LegalHoldRow } from '../retention/legalHolds.ts';
import {
  callRow,
  listedRecordingColumns,
  listedRecordingRow,
  purposeEnd,
  type CallRow,
  type ListedRecordingRow,
  type PurposeEnd,
} from '../rows.ts';
import { row } from '../sqlite/rowForm.ts';
import { all, reading, sql, type Step } from '../sql/step.ts';

/** A call as lists show it, with all that decides who sees it. */
export type Listing = {
  call: CallRow;
  recording: ListedRecordingRow | undefined;
  extension: string | null;
  /** The number of the company that the caller dialled. */
  dialled: string | null;
  holds: LegalHoldRow[];
  /** As they are written, holds not taken into account. */
  ends: PurposeEnd[];
  /** Of whoever asks. */
  approvals: ApprovalRow[];
  isExemplary: boolean;
  /** When somebody decided to erase it, while it is not erased yet, ms since 1970 UTC. */
  erasureDecidedAt: number | undefined;
  /** What people have written about it, as far as lists show it. */
  written: Written;
};

type Written = { tags: string[]; score: number | null; collections: string[] };
export const nothingWritten: Written = { tags: [], score: null, collections: [] };

const extensionRow = row({ callId: z.string(), extension: z.string() });
const dialledRow = row({ callId: z.string(), number: z.string() });
const tagRow = row({ recordingId: z.string(), tag: z.string() });
const scoreRow = row({ recordingId: z.string(), score: z.number() });
const collectedRow = row({ recordingId: z.string(), collection: z.string() });
const askedRow = row({ recordingId: z.string(), askedAt: z.number() });
const exemplaryRow = row({ callId: z.string() });
const endRow = z.intersection(row({ recordingId: z.string() }), purposeEnd);

const among = (column: string): string => `${column} IN (SELECT value FROM json_each(@ids))`;

/** By the table that they read; `@ids` are those of calls, and of recordings from `ends` on. */
export const listingStatements = {
  calls: `SELECT * FROM calls WHERE ${among('id')}`,
  recordings: `SELECT ${listedRecordingColumns} FROM recordings WHERE ${among('call_id')}`,
  extensions: `SELECT call_id, extension FROM extensions WHERE ${among('call_id')}`,
  dialled: `SELECT call_id, number FROM dialled WHERE ${among('call_id')}`,
  exemplary: `
    SELECT call_id FROM changes INDEXED BY changes_exemplary WHERE change = 'exemplaryMarked' AND ${among('call_id')}`,
  ends: `SELECT * FROM recording_purposes WHERE ${among('recording_id')} ORDER BY recording_id, purpose`,
  asked: `SELECT recording_id, asked_at FROM asked_erasures WHERE ${among('recording_id')}`,
  holds: `SELECT * FROM holds WHERE ${among('recording_id')} ORDER BY id`,
  approvals: `SELECT * FROM approvals WHERE ${among('recording_id')} AND asker = @asker ORDER BY id`,
  tags: `SELECT recording_id, tag FROM tags WHERE ${among('recording_id')} ORDER BY recording_id, tag`,
  scores: `SELECT recording_id, score FROM annotations WHERE ${among('recording_id')} AND score IS NOT NULL`,
  collections: `
    SELECT recording_id, collection FROM collected WHERE ${among('recording_id')} ORDER BY recording_id, collection`,
} as const;

/** Calls for a page of a list: one query for each table, and not one for each call. */
export function makeListings() {
  const selectCalls = sql(listingStatements.calls);
  const selectRecordings = sql(listingStatements.recordings);
  const selectExtensions = sql(listingStatements.extensions);
  const selectDialled = sql(listingStatements.dialled);
  const selectExemplary = sql(listingStatements.exemplary);
  const selectEnds = sql(listingStatements.ends);
  const selectAsked = sql(listingStatements.asked);
  const selectHolds = sql(listingStatements.holds);
  const selectApprovals = sql(listingStatements.approvals);
  const selectTags = sql(listingStatements.tags);
  const selectScores = sql(listingStatements.scores);
  const selectCollections = sql(listingStatements.collections);

  return {
    /**
     * These calls in their order, as of one moment; ids that no call has are left out.
     *
     * @param asker whose approvals count, as the audit trail names them
     */
    of: reading(function* (wanted: readonly CallId[], asker: string): Step<Listing[]> {
      const ids = JSON.stringify(wanted);
      const calls = grouped(z.array(callRow).parse(yield* all(selectCalls, { ids })), 'id');
      const recordings = z.array(listedRecordingRow).parse(yield* all(selectRecordings, { ids }));
      const recordingOf = grouped(recordings, 'callId');
      const extensions = grouped(z.array(extensionRow).parse(yield* all(selectExtensions, { ids })), 'callId');
      const dialled = grouped(z.array(dialledRow).parse(yield* all(selectDialled, { ids })), 'callId');
      const exemplary = grouped(z.array(exemplaryRow).parse(yield* all(selectExemplary, { ids })), 'callId');
      const of = { ids: JSON.stringify(recordings.map(({ id }) => id)), asker };
      const ends = grouped(z.array(endRow).parse(yield* all(selectEnds, of)), 'recordingId');
      const tags = grouped(z.array(tagRow).parse(yield* all(selectTags, of)), 'recordingId');
      const scores = grouped(z.array(scoreRow).parse(yield* all(selectScores, of)), 'recordingId');
      const collections = grouped(z.array(collectedRow).parse(yield* all(selectCollections, of)), 'recordingId');
      const asked = grouped(z.array(askedRow).parse(yield* all(selectAsked, of)), 'recordingId');
      const holds = grouped(z.array(legalHoldRow).parse(yield* all(selectHolds, of)), 'recording');
      const approvals = grouped(z.array(approvalRow).parse(yield* all(selectApprovals, of)), 'recording');

      return wanted.flatMap((id): Listing[] => {
        const [call] = calls(id);
        if (call === undefined) return [];
        const [recording] = recordingOf(id);
        const key = recording?.id ?? '';

        return [
          {
            call,
            recording,
            extension: extensions(id)[0]?.extension ?? null,
            dialled: dialled(id)[0]?.number ?? null,
            holds: holds(key),
            ends: ends(key).map(({ purpose, keepUntil }) => ({ purpose, keepUntil })),
            approvals: approvals(key),
            isExemplary: exemplary(id).length > 0,
            erasureDecidedAt: asked(key)[0]?.askedAt,
            written: {
              tags: tags(key).map(({ tag }) => tag),
              score: scores(key)[0]?.score ?? null,
              collections: collections(key).map(({ collection }) => collection),
            },
          },
        ];
      });
    }),
  };
}

/** The rows that have this in a column, in their order. */
function grouped<Key extends string, Row extends Readonly<Record<Key, string>>>(
  rows: readonly Row[],
  key: Key,
): (value: string) => Row[] {
  const groups = new Map<string, Row[]>();
  for (const each of rows) {
    const group = groups.get(each[key]);
    if (group === undefined) groups.set(each[key], [each]);
    else group.push(each);
  }

  return (value) => groups.get(value) ?? [];
}
