import type { ErrorCode } from '../core/errors.ts';

/** With these nothing further can be done in a pass over recordings: archive or catalogue is away as a whole. */
export const endsPass: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_unreachable',
  'archive_bucket_missing',
  'archive_not_mounted',
  'catalogue_unusable',
]);
