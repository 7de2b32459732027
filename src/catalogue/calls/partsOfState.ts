import { noAnswer, type Answer } from '../../call/decide/answer.ts';
import type { CallState, Recorder } from '../../call/decide/state.ts';

/** What the state of a call says, where it says it. */

/** What the caller has said. */
export function answerOf(state: CallState): Answer {
  switch (state.kind) {
    case 'planning':
    case 'checking':
    case 'answering':
    case 'choosing':
    case 'asking':
      return noAnswer;
    case 'announcing':
    case 'confirming':
    case 'accepting':
    case 'acknowledging':
    case 'dialling':
    case 'releasing':
    case 'following':
    case 'talking':
    case 'closing':
    case 'ended':
      return state.answer;
  }
}

/** What has become of the recorder. */
export function recorderOf(state: CallState): Recorder {
  switch (state.kind) {
    case 'planning':
    case 'checking':
    case 'answering':
    case 'choosing':
    case 'announcing':
    case 'confirming':
    case 'asking':
    case 'accepting':
    case 'acknowledging':
    case 'dialling':
    case 'releasing':
      return { kind: 'none' };
    case 'following':
    case 'talking':
    case 'closing':
    case 'ended':
      return state.recorder;
  }
}
