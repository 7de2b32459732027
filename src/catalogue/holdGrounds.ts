/**
 * Why a recording is kept beyond its end: a dispute that it is evidence in, the request of an authority, or that of the person
 * who wants it kept (GDPR art. 18).
 */
export const holdGrounds = ['dispute', 'authority', 'restriction'] as const;
export type HoldGround = (typeof holdGrounds)[number];
