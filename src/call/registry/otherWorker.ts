import type { AriClaims, AriCommands } from '../../ari/port.ts';
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
};

export function makeOtherWorker(
  ari: AriClaims & Pick<AriCommands, 'continueInDialplan'>,
  mayClaim: () => boolean,
  log: Logger,
): OtherWorker {
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
  };
}
