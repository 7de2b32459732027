import { askingServe } from '../askServe.ts';

/** Pauses the recording of a call that goes on, and returns once it is. */
export const callsPause = askingServe('pause');

/** Lets the recording of a call go on, and returns once it does. */
export const callsResume = askingServe('resume');
