import { PreavisError } from '../core/errors.ts';
import type { Asked } from './route.ts';

/** Of things that several people change: whoever replaces one says which version they have seen, so that nobody's words are lost. */

const tagForm = /^"(\d{1,9})"$/;

export const etagOf = (version: number): string => `"${version}"`;

/** @throws PreavisError `version_missing`: without If-Match, or with another than an ETag of ours */
export function versionSeen(headers: Asked<unknown, unknown, unknown>['headers']): number {
  const [, version] = tagForm.exec(String(headers['if-match'] ?? '').trim()) ?? [];
  if (version === undefined) throw new PreavisError('version_missing', 'there is no If-Match with an ETag of it');

  return Number(version);
}
