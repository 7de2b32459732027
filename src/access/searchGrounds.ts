/** Why somebody looks for the calls of a telephone number: a request of the person, an agreement, a dispute, or a question of an authority. */
export const searchGrounds = ['person', 'agreement', 'dispute', 'authority'] as const;
export type SearchGround = (typeof searchGrounds)[number];
