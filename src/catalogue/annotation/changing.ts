import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { CallId, RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from '../retention/auditTrail.ts';
import { callId, row } from '../sqlite/rowForm.ts';
import { one, sql, type Step } from '../sql/step.ts';

const recordingRow = row({ call: callId, status: z.string(), controller: z.string().nullable() }, { call: 'call_id' });

/** There is sound, or there will be: what is written about it has something to end with. */
const annotatable = ['recording', 'recorded', 'archived', 'failed'];

/** Says of which call and company a recording is that somebody writes about. Throws recording_unknown, and recording_gone once its erasure has begun. */
export type RequireAnnotatable = (recording: RecordingId) => Step<{ call: CallId; controller: string | null }>;

export function makeRequireAnnotatable(trail: Pick<AuditTrail, 'of'>): RequireAnnotatable {
  const select = sql(`SELECT call_id, status, controller FROM recordings WHERE id = @recording`);

  return function* (recording) {
    const found = recordingRow.optional().parse(yield* one(select, { recording }));
    if (found === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    if (!annotatable.includes(found.status)) {
      throw new PreavisError('recording_gone', `its status is ${found.status}`);
    }
    if (isErasureUnderWay(yield* trail.of(recording))) {
      throw new PreavisError('recording_gone', 'its erasure has begun');
    }

    return { call: found.call, controller: found.controller };
  };
}

export const versionConflict = (): PreavisError =>
  new PreavisError('version_conflict', 'somebody else has changed it meanwhile');

/** Of an order in a collection. */
export const behindUnknown = (): PreavisError =>
  new PreavisError('request_invalid', 'the recording that it is to come behind is not in the collection');
