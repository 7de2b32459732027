/** `at`: when something of the lab was late, Unix times in ms; none where the scene of a test was missed. */
export type PlacedAgain = { sentence: string; at: readonly number[] };
export declare function hiccupsOf(placedAgain: readonly PlacedAgain[]): number;
