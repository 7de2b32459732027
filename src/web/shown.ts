import type * as z from 'zod';
import { purposesInForce } from '../archive/purposes.ts';
import { nothingWritten } from '../catalogue/calls/listings.ts';
import type { ListedRecordingRow } from '../catalogue/rows.ts';
import type { LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import { isoTime } from '../core/clock.ts';
import type { WebPorts } from './ports.ts';
import type { callPart, hold, listedCall, listedRecording, recordingPart } from './schemas.ts';
import type { KnownCall, KnownRecording, ListedCall } from './subjects.ts';

/** How calls and recordings are shown. */

function shownCall({
  call,
  extension,
  dialled,
}: Pick<KnownCall, 'call' | 'extension' | 'dialled'>): z.input<typeof callPart> {
  const {
    id,
    line,
    controller,
    pbx,
    direction,
    purposes,
    languages,
    languageReason,
    consent,
    result,
    reason,
    dialStatus,
  } = call;

  return {
    id,
    startedAt: isoTime(call.startedAt),
    endedAt: isoTime(call.endedAt),
    line,
    controller,
    pbx,
    direction,
    extension,
    dialled,
    purposes,
    languages,
    languageReason,
    consent: { mode: consent.mode, answer: consent.answer },
    result,
    reason,
    dialStatus,
  };
}

type PartOf = Pick<ListedCall, 'call' | 'ends' | 'isHeld' | 'isExemplary' | 'erasureDecidedAt' | 'written'> & {
  recording: ListedRecordingRow;
};

function shownPart(
  { recording, call, ends, isHeld, isExemplary, erasureDecidedAt, written }: PartOf,
  at: number,
): z.input<typeof recordingPart> {
  const { id, status, durationMs, bytes, flags, failure } = recording;
  const inForce = purposesInForce(status, call.purposes, ends, at);

  return {
    id,
    status,
    startedAt: isoTime(recording.startedAt),
    durationMs,
    bytes,
    flags,
    failure,
    keepUntil: isoTime(recording.keepUntil),
    purposes: call.purposes.map((purpose) => ({
      purpose,
      keepUntil: isoTime(ends.find((end) => end.purpose === purpose)?.keepUntil ?? null),
      inForce: inForce.includes(purpose),
    })),
    held: isHeld,
    erasureDecided: isoTime(erasureDecidedAt ?? null),
    exemplary: isExemplary,
    ...written,
  };
}

/** @param at now, ms since 1970 UTC */
export function shownCallOfList(listed: ListedCall, at: number): z.input<typeof listedCall> {
  const { recording } = listed;

  return { ...shownCall(listed), recording: recording === undefined ? null : shownPart({ ...listed, recording }, at) };
}

/**
 * undefined for a call without a recording.
 *
 * @param at now, ms since 1970 UTC
 */
export function shownRecordingOfList(listed: ListedCall, at: number): z.input<typeof listedRecording> | undefined {
  const { recording } = listed;

  return recording && { ...shownPart({ ...listed, recording }, at), call: shownCall(listed) };
}

type ShownPorts = Pick<WebPorts, 'catalogue' | 'clock'>;

/** What lists show beside what decides. */
async function besides(
  { call, recording }: KnownCall,
  { catalogue }: ShownPorts,
): Promise<Pick<ListedCall, 'isExemplary' | 'written'>> {
  const changes = await catalogue.timeline.changes(call.id);
  const isExemplary = changes.some(({ change }) => change === 'exemplaryMarked');
  if (recording === undefined) return { isExemplary, written: nothingWritten };
  const { tags, rating } = await catalogue.annotations.of(recording.id);
  const collections = await catalogue.collections.of(recording.id);

  return { isExemplary, written: { tags, score: rating?.score ?? null, collections } };
}

export async function shownListedCall(known: KnownCall, ports: ShownPorts): Promise<z.input<typeof listedCall>> {
  return shownCallOfList({ ...known, ...(await besides(known, ports)) }, ports.clock.now());
}

export async function shownRecording(
  known: KnownRecording,
  ports: ShownPorts,
): Promise<z.input<typeof listedRecording>> {
  const part = shownPart({ ...known, ...(await besides(known, ports)) }, ports.clock.now());

  return { ...part, call: shownCall(known) };
}

/** @param withReason it is in words of whoever set it, and may name people */
export function shownHold(row: LegalHoldRow, withReason: boolean): z.input<typeof hold> {
  return {
    id: row.id,
    recording: row.recording,
    ground: row.ground,
    reason: withReason ? row.reason : null,
    setBy: row.author,
    setAt: isoTime(row.setAt),
    reviewAt: isoTime(row.reviewAt),
    expiresAt: isoTime(row.expiresAt),
    releasedAt: isoTime(row.releasedAt),
    releasedBy: row.releasedBy,
  };
}
