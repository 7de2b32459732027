import * as z from 'zod';
import { lockNoted } from '../../archive/lockUploads.ts';
import { encryptionInWords } from '../../store/store.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import { isActive } from '../../catalogue/retention/legalHolds.ts';
import type { AuditRow, RecordingRow } from '../../catalogue/rows.ts';
import { recordingStatuses } from '../../catalogue/statuses.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { isUlid } from '../../core/ids.ts';
import { encryptionOf, gapMs, sentenceOf } from '../../receipt/receipt.ts';
import { endsWhileHeld, purposesInForce } from '../../archive/purposes.ts';
import { makeHoldsAllowed } from '../../config/purposeRules.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../context.ts';
import { areOfSeveralPbxs, chosenCalls, type Chosen } from '../filters.ts';
import { oneOf, parseLimit } from '../options.ts';
import { localDay, localTime, timeColumn } from '../localTime.ts';
import { shownHold, type ShownHold } from './retention/legalHolds.ts';
import { oneLine } from '../../core/text/oneLine.ts';
import { table } from '../table.ts';

type ListOptions = Chosen & { status: string | undefined; exemplary?: boolean; limit: string; json: boolean };

/** Of a time that --json has in UTC. */
const local = (iso: string): string => localTime(Date.parse(iso));

async function described(
  row: RecordingRow,
  catalogue: Catalogue,
  holdsAllowed: (purpose: string) => boolean,
  at: number,
) {
  const call = await catalogue.calls.find(row.callId);
  const holds = await catalogue.legalHolds.of(row.id);
  const ends = endsWhileHeld(await catalogue.recordings.purposeEnds(row.id), holds, holdsAllowed, at);
  const purposes = call?.purposes ?? [];
  const changes = await catalogue.timeline.changes(row.callId);
  const inForce = purposesInForce(row.status, purposes, ends, at);

  return {
    id: row.id,
    status: row.status,
    startedAt: isoTime(row.startedAt),
    durationMs: row.durationMs,
    bytes: row.bytes,
    line: call?.line ?? null,
    dialled: (await catalogue.dialled.of(row.callId)) ?? null,
    controller: row.controller,
    pbx: call?.pbx ?? null,
    purposes,
    languages: call?.languages ?? [],
    keepUntil: isoTime(row.keepUntil),
    purposeEnds: purposes.map((purpose) => ({
      purpose,
      keepUntil: isoTime(ends.find((end) => end.purpose === purpose)?.keepUntil ?? null),
      inForce: inForce.includes(purpose),
    })),
    held: holds.some((hold) => isActive(hold, at)),
    erasureDecided: isoTime((await catalogue.askedErasures.askedAt(row.id)) ?? null),
    exemplary: changes.some(({ change }) => change === 'exemplaryMarked'),
    objectKey: row.objectKey,
    flags: row.flags,
    failure: row.failure,
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt === 0 ? null : isoTime(row.nextAttemptAt),
  };
}

/**
 * Lists recordings, newest first. With a purpose: only those that may still be used for it, though another purpose may
 * keep more.
 */
export async function recordingsList(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const status = options.status === undefined ? undefined : oneOf('--status', options.status, recordingStatuses);
  const most = parseLimit(options.limit);
  const at = context.clock.now();

  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const { purpose, begun, line, controller, dialled, pbx } = await chosenCalls(options, config, catalogue, at);
    const inForce = purpose === undefined ? undefined : { purpose, at };
    const { exemplary = false } = options;
    const rows = await catalogue.recordings.list({
      ...{ status, inForce, begun, line, controller, dialled, pbx, exemplary },
      limit: most,
    });
    const list = await Promise.all(rows.map((row) => described(row, catalogue, makeHoldsAllowed(config), at)));
    answer(context, options.json, { recordings: list }, () => {
      const started = timeColumn(
        'STARTED',
        rows.map(({ startedAt }) => startedAt),
      );
      const hasPbxs = areOfSeveralPbxs(list);
      const cells = list.map((each, index) => [
        each.id,
        each.status === 'recorded' && each.failure !== null
          ? `${each.status} (${each.failure}, ${counted(each.attempts, 'attempt')})`
          : each.status,
        started.cells[index] ?? '',
        each.durationMs === null ? '' : `${(each.durationMs / 1_000).toFixed(1)} s`,
        each.line ?? '',
        ...(hasPbxs ? [each.pbx ?? ''] : []),
        each.purposes.join('+'),
        [
          each.keepUntil === null ? '' : localDay(Date.parse(each.keepUntil)),
          each.held ? '(held)' : '',
          each.erasureDecided === null ? '' : '(erasure decided)',
          each.exemplary ? '(exemplary)' : '',
        ]
          .filter((word) => word !== '')
          .join(' '),
      ]);
      const line = hasPbxs ? ['LINE', 'PBX'] : ['LINE'];
      const header = ['RECORDING', 'STATUS', started.header, 'LENGTH', ...line, 'PURPOSE', 'KEPT UNTIL'];

      return [cells.length === 0 ? 'no recordings' : table(header, cells)];
    });

    return 0;
  });
}

/** How it was archived, in words, while it is there; --json has it in that step. What somebody changed since is not known. */
function protectionInWords({ status }: RecordingRow, steps: readonly AuditRow[], at: number): Record<string, string> {
  if (status !== 'archived') return {};
  const lock = lockNoted(steps);
  const over = lock !== undefined && lock.until <= at ? ' (over)' : '';

  return {
    objectLock:
      lock === undefined
        ? 'none was set when it was archived'
        : `${lock.mode} until ${localTime(lock.until)}${over}, set when it was archived`,
    encryption: encryptionInWords(encryptionOf(steps)),
  };
}

/** Why a recording was kept though its person asked for its erasure. */
const refusalNoted = z.object({
  exceptions: z.array(
    z.union([
      z.object({ ground: z.literal('hold'), hold: z.string() }).transform(({ hold }) => `hold (${hold})`),
      z.object({ ground: z.literal('lock'), mode: z.string() }).transform(({ mode }) => `lock (${mode})`),
      z
        .object({ ground: z.string(), purpose: z.string() })
        .transform(({ ground, purpose }) => `${ground} (${purpose})`),
    ]),
  ),
});

const groundsNoted = (detail: AuditRow['detail']): string[] => refusalNoted.safeParse(detail).data?.exceptions ?? [];

function holdInWords({ reviewAt, expiresAt, releasedAt, releasedBy }: ShownHold, at: number): string {
  if (releasedAt !== null) return `released ${local(releasedAt)} by ${releasedBy ?? '-'}`;
  if (Date.parse(expiresAt) <= at) return `until ${local(expiresAt)} (over)`;

  return `until ${local(expiresAt)}, review ${local(reviewAt)}${Date.parse(reviewAt) <= at ? ' (now)' : ''}`;
}

/** Shows one recording with its call, the notice that was heard, and every step of its life. */
export async function recordingsShow(context: CommandContext, id: string, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const row = isUlid(id) ? await catalogue.recordings.find(id) : undefined;
    if (row === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    const audit = await catalogue.auditTrail.of(row.id);
    const at = context.clock.now();
    const shown = await shownRecording(row, audit, catalogue, makeHoldsAllowed(config), at);
    answer(context, json, shown, () => recordingInWords(shown, row, protectionInWords(row, audit, at), at));

    return 0;
  });
}

type ShownRecording = Awaited<ReturnType<typeof shownRecording>>;

async function shownRecording(
  row: RecordingRow,
  audit: readonly AuditRow[],
  catalogue: Catalogue,
  holdsAllowed: (purpose: string) => boolean,
  at: number,
) {
  const call = await catalogue.calls.find(row.callId);
  const notice = await catalogue.calls.notices(row.callId);

  return {
    ...(await described(row, catalogue, holdsAllowed, at)),
    call: row.callId,
    sha256: row.sha256,
    finishedAt: isoTime(row.finishedAt),
    gapMs: gapMs(row),
    languageReason: call?.languageReason ?? null,
    policyVersion: call?.policyVersion ?? null,
    notice: notice.map(sentenceOf),
    witness: call?.witness ?? null,
    holds: (await catalogue.legalHolds.of(row.id)).map(shownHold),
    certificates: (await catalogue.certificates.of(row.id)).map(({ number, sha256 }) => ({ number, sha256 })),
    audit: audit.map((each) => ({ ...each, at: isoTime(each.at) })),
  };
}

function recordingInWords(
  shown: ShownRecording,
  row: RecordingRow,
  protection: ReturnType<typeof protectionInWords>,
  at: number,
): string[] {
  const { notice, audit, purposeEnds, holds, certificates, ...facts } = shown;
  const { startedAt, finishedAt, keepUntil } = row;
  const erasureDecided = shown.erasureDecided === null ? null : Date.parse(shown.erasureDecided);
  const times = Object.fromEntries(
    Object.entries({ startedAt, finishedAt, keepUntil, erasureDecided }).flatMap(([name, ms]) =>
      ms === null ? [] : [[name, localTime(ms)]],
    ),
  );

  return [
    ...Object.entries({ ...facts, ...times, ...protection }).map(
      ([name, value]) => `${name.padEnd(15)} ${Array.isArray(value) ? value.join(', ') : String(value ?? '-')}`,
    ),
    '\nPurposes',
    ...purposeEnds.map((each) => purposeInWords(each, shown.status)),
    ...(holds.length > 0 ? ['\nHolds'] : []),
    ...holds.map(
      (hold) =>
        `  ${hold.id}  ${hold.ground}  ${holdInWords(hold, at)}  ${oneLine(hold.reason)}  (set by ${hold.author})`,
    ),
    ...certificates.map(({ number, sha256 }) => `\nCertificate of erasure ${number} (SHA-256 ${sha256})`),
    '\nNotice as it was heard',
    ...notice.map((each) => {
      const heard = each.verified ? 'heard whole' : each.verdict;
      const witness = each.witness === null ? '' : `  (witness: ${each.witness.status})`;
      const began = each.startedAt === null ? '-' : local(each.startedAt);

      return `  ${began}  ${each.language}  ${heard}${witness}  "${each.text}"`;
    }),
    '\nHistory',
    ...audit.map((each) => {
      const step = each.to === null ? '' : `  ${each.from ?? 'new'} -> ${each.to}`;
      const { purpose, code } = each.detail;
      const about = [purpose, code, ...groundsNoted(each.detail)]
        .filter((word) => typeof word === 'string')
        .map((word) => `  ${word}`);

      return `  ${local(each.at)}  ${each.event}${step}${about.join('')}  (${each.actor})`;
    }),
  ];
}

function purposeInWords(
  { purpose, keepUntil, inForce }: ShownRecording['purposeEnds'][number],
  status: ShownRecording['status'],
): string {
  if (keepUntil === null) return `  ${purpose}  ${status === 'discarded' ? 'not kept' : 'not finished'}`;

  return `  ${purpose}  kept until ${local(keepUntil)}${inForce ? '' : '  (over)'}`;
}
