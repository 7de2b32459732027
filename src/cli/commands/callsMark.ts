import { askingServe } from '../askServe.ts';

/** What else than a pause may be asked of a call that goes on. */

/** Records a call from now on, and returns once both were told. */
export const callsRecord = askingServe('record');

/** Stops the recording of a call and removes what it has. */
export const callsErase = askingServe('erase');

/** Marks that an agreement is made; exit 3 where the caller was not told of its purpose. */
export const callsAgreement = askingServe('agreement');

/** Marks a call as exemplary. */
export const callsExemplary = askingServe('exemplary');
