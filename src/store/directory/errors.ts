/** What file systems answer, as errors of the archive. */
import { errnoOf, PreavisError } from '../../core/errors.ts';

const denied = new Set(['EACCES', 'EPERM', 'EROFS']);
const full = new Set(['ENOSPC', 'EDQUOT']);
const unreachable = new Set(['EIO', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENOTCONN', 'ECONNRESET']);

/** A failed step in the archive's folder as an error of the archive. */
export function toArchiveError(error: unknown, root: string): PreavisError {
  if (error instanceof PreavisError) return error;
  const errno = errnoOf(error) ?? 'unknown';
  const cause = error;
  if (denied.has(errno)) {
    return new PreavisError('archive_denied', `The archive folder ${root} cannot be read or written (${errno}).`, {
      cause,
      hint: 'Give the user that runs Préavis the folder, and mount it writable.',
    });
  }
  if (full.has(errno)) {
    return new PreavisError('archive_full', `The archive folder ${root} is full (${errno}).`, { cause });
  }
  if (unreachable.has(errno)) {
    return new PreavisError('archive_unreachable', `The archive folder ${root} does not answer (${errno}).`, { cause });
  }
  return new PreavisError('archive_failed', `The archive folder ${root} failed (${errno}).`, { cause });
}

export function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
