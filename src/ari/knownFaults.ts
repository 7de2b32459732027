/** The first version whose package has it. */
const firstMajor = 20;

/**
 * Whether this Asterisk drops sound whose RTP sequence numbers leap back: a patch of Debian's package for Opus (2016_opus_plc.patch,
 * since early 2024), which Ubuntu has taken over; the versions of both have `dfsg` in them. Asterisk itself does not do it, nor does
 * Debian's 16.28.
 */
export function dropsEarlierNumbers(version: string): boolean {
  const major = Number(/\d+/.exec(version)?.[0] ?? '0');

  return version.includes('dfsg') && major >= firstMajor;
}
