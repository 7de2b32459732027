import pLimit from 'p-limit';
import type { AriEvent, NamedCall, UserTask } from '../../ari/events.ts';
import type { AriClaims, AriCommands, AriUserEvents } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { goOnInDialplan } from '../session/returnToDialplan.ts';

/** What is left to the other one of two workers. Neither waits for anything, nor throws. */
export type OtherWorker = {
  /** A caller was offered to both: whoever is first has them. */
  claim(channel: ChannelId): void;
  /** Sends on a caller who came while this worker leaves: no call of ours, the other one tells them. */
  handOn(channel: ChannelId): void;
  /** A program asked this one of a call that it has not: a program need not know which of the two has a call. */
  passOn(task: UserTask, asked: NamedCall & { at: number }): void;
};

/** @param application of the other one */
export function makeOtherWorker(
  application: string,
  ari: AriClaims & Pick<AriUserEvents, 'passOn'> & Pick<AriCommands, 'continueInDialplan'>,
  mayClaim: () => boolean,
  log: Logger,
): OtherWorker {
  // A pause must not arrive behind its end.
  const inOrder = pLimit(1);

  return {
    claim: (channel) => {
      if (!mayClaim()) return;
      // That the other one was first is no fault. Where nobody claims them, the dialplan asks one after the other.
      ari.claim(channel).catch((thrown: unknown) => {
        log.debug({ code: asPreavisError(thrown).code }, 'offered call not claimed');
      });
    },
    handOn: (channel) => {
      // Where this fails, the dialplan's own limit sends them on.
      goOnInDialplan(ari, channel, () => false).catch((thrown: unknown) => {
        const error = asPreavisError(thrown);
        log.warn({ code: error.code, err: error }, 'caller not handed on to the other worker');
      });
    },
    passOn: (task, asked) => {
      inOrder(() => ari.passOn(application, task, asked)).catch((thrown: unknown) => {
        const error = asPreavisError(thrown);
        log.warn({ task, code: error.code, err: error }, 'user event not passed on to the other worker');
      });
    },
  };
}

/** What a program asks of a call that this process has not. */
export function askElsewhere(
  { task, call, channel, at, isPassedOn }: Extract<AriEvent, { type: 'userEvent' }>,
  { otherWorker, log }: { otherWorker?: OtherWorker | undefined; log: Logger },
): void {
  if (otherWorker === undefined || isPassedOn) log.warn({ task }, 'user event for a call that is not here');
  else otherWorker.passOn(task, { call, channel, at });
}
