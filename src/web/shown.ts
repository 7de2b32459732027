import type * as z from 'zod';
import { purposesInForce } from '../archive/purposes.ts';
import type { LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import { isoTime } from '../core/clock.ts';
import type { WebPorts } from './ports.ts';
import type { callPart, hold, listedCall, listedRecording, recordingPart } from './schemas.ts';
import type { KnownCall, KnownRecording } from './subjects.ts';

/** How calls and recordings are shown. */

function shownCall({ call, extension }: KnownCall): z.input<typeof callPart> {
  const { id, line, controller, direction, purposes, languages, languageReason, consent, result, reason, dialStatus } =
    call;

  return {
    id,
    startedAt: isoTime(call.startedAt),
    endedAt: isoTime(call.endedAt),
    line,
    controller,
    direction,
    extension,
    purposes,
    languages,
    languageReason,
    consent: { mode: consent.mode, answer: consent.answer },
    result,
    reason,
    dialStatus,
  };
}

async function shownPart(
  { recording, call, ends, isHeld }: KnownRecording,
  { catalogue, clock }: Pick<WebPorts, 'catalogue' | 'clock'>,
): Promise<z.input<typeof recordingPart>> {
  const { id, status, durationMs, bytes, flags, failure } = recording;
  const inForce = purposesInForce(status, call.purposes, ends, clock.now());
  const changes = await catalogue.timeline.changes(call.id);

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
    exemplary: changes.some(({ change }) => change === 'exemplaryMarked'),
  };
}

export async function shownListedCall(
  known: KnownCall,
  ports: Pick<WebPorts, 'catalogue' | 'clock'>,
): Promise<z.input<typeof listedCall>> {
  const { recording } = known;

  return {
    ...shownCall(known),
    recording: recording === undefined ? null : await shownPart({ ...known, recording }, ports),
  };
}

export async function shownRecording(
  known: KnownRecording,
  ports: Pick<WebPorts, 'catalogue' | 'clock'>,
): Promise<z.input<typeof listedRecording>> {
  return { ...(await shownPart(known, ports)), call: shownCall(known) };
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
