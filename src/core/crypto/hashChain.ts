import { sha256Of } from './sha256.ts';

/**
 * The chain over the audit trail: each line has a digest of its content, and a link of the link before it and that digest.
 * Both are SHA-256 in lower-case hexadecimal, so that `sha256sum` can make them again.
 */

/** What stands for the link before the first one. */
export const chainStart = '0'.repeat(64);

/** What a digest is made of: time (ms since 1970 UTC), recording, event, from, to, actor, and the detail as JSON text. */
export type EntryContent = readonly [unknown, unknown, unknown, unknown, unknown, unknown, unknown];

/** SHA-256 of the JSON array of the content, as UTF-8 without spaces. */
export function entryDigest(content: EntryContent): string {
  return sha256Of(JSON.stringify(content));
}

/** SHA-256 of both, one behind the other, as text. */
export function linkOf(before: string, digest: string): string {
  return sha256Of(before + digest);
}
