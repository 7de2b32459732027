/** `at`: when something of the lab was late, Unix times in ms; none where a state was missed. */
export type PlacedAgain = { sentence: string; at: readonly number[] };
export declare function delaysOf(placedAgain: readonly PlacedAgain[]): number;
