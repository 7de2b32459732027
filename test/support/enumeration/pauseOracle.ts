/** The oracle of pauses that somebody asks for: from the first to the last event of each, nothing may be recorded. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { PauseWord } from '../../../src/call/decide/order.ts';
import { mostRecorders } from './newcomerOracle.ts';
import type { Monitor } from './oracle.ts';

/** What was asked for last, and what is being said. */
export type Pausing = { wish: PauseWord; saying: PauseWord | undefined };

const isOver = ({ stranger, refused, callerLeft, asked }: Monitor): boolean =>
  stranger || refused !== 'no' || callerLeft || asked.destroyBridge > 0;

function paused(before: Monitor, after: Monitor): Pausing | undefined {
  const { pausing, followed, talks, asked } = before;
  const isTalk = followed === undefined ? talks && asked.startRecorder > 0 : followed.isTogether;
  if (!isTalk || isOver(after)) return pausing;
  // More recorders of a followed call would be more of the same.
  if (pausing === undefined && followed !== undefined && asked.startRecorder >= mostRecorders) return pausing;

  return { wish: 'paused', saying: pausing?.saying };
}

function next(before: Monitor, after: Monitor, event: CallEvent): Pausing | undefined {
  const { pausing } = before;
  if (event.type === 'pauseAsked') return paused(before, after);
  if (pausing === undefined || isOver(after)) return undefined;
  const isApart = after.followed?.isTogether === false;
  if (isApart && before.followed?.isTogether === true) return { wish: 'paused', saying: undefined };
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- Nothing else ends or begins one.
  switch (event.type) {
    case 'resumeAsked':
      return isApart ? undefined : { ...pausing, wish: 'resumed' };
    case 'pauseSaid': {
      if (event.word !== pausing.saying) return pausing;
      const ends = pausing.saying === 'resumed' && pausing.wish === 'resumed';
      if (ends && event.at !== undefined) return undefined;
      return { wish: ends ? 'paused' : pausing.wish, saying: undefined };
    }
    case 'eventsMissed':
      return isApart || pausing.saying === undefined ? pausing : { wish: 'paused', saying: undefined };
    case 'stepFailed':
      return event.step === 'save' ? { wish: 'paused', saying: undefined } : pausing;
    default:
      return pausing;
  }
}

const isSame = (one: Pausing | undefined, other: Pausing | undefined): boolean =>
  one?.wish === other?.wish && one?.saying === other?.saying;

export function witnessPause(before: Monitor, after: Monitor, event: CallEvent): Monitor {
  const pausing = next(before, after, event);

  return isSame(pausing, after.pausing) ? after : { ...after, pausing };
}
