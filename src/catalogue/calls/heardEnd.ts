import { offsetOf, type ClockReading } from '../../core/clock.ts';
import type { RecordingId } from '../../core/ids.ts';
import { change, sql, type Step } from '../sql/step.ts';

const setHeard = sql(
  `UPDATE recordings SET heard_at = @at, heard_boot = @boot, heard_offset_ms = @offsetMs WHERE id = @id AND heard_at IS NULL`,
);

/** Keeps what our clock said of the end of a recording, unless that is known already. */
export function* saveHeard(id: RecordingId, heard: ClockReading): Step<void> {
  const { at, sinceBoot } = heard;
  yield* change(setHeard, { id, at, boot: sinceBoot?.boot ?? null, offsetMs: offsetOf(heard) ?? null });
}
