import type { Asking } from '../api/client.ts';
import type { Annotation } from '../api/types.ts';

/** Sends a change, and reads anew what is there then; whether it was done. */
export type Change = (path: string, asking: Asking) => Promise<boolean>;

export type NotesProps = {
  recording: string;
  written: Annotation;
  /** Whether they may write. */
  mayWrite: boolean;
  change: Change;
};

/** Where the player is, ms, and the way to a place. */
export type PlaceOfPlayer = { position: () => number; seek: (ms: number) => void };
