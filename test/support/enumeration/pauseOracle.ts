/** The oracle of pauses that somebody asks for: from the first to the last event of each, nothing may be recorded. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { PauseWord } from '../../../src/call/decide/order.ts';
import { mostRecorders } from './newcomerOracle.ts';
import type { CallFacts, Monitor } from './oracle.ts';

/** What was asked for last, and what is being said. `isLine`: the line records on request, and nobody has heard that it does. */
export type Pausing = { wish: PauseWord; saying: PauseWord | undefined; isLine?: true };

const isOver = ({ stranger, refused, erased, spent, callerLeft, asked }: Monitor): boolean =>
  stranger || refused !== 'no' || erased || spent.room || callerLeft || asked.destroyBridge > 0;

/** Of a line that records on request nothing may be recorded from the beginning on. */
function begun(before: Monitor, after: Monitor, { order }: CallFacts): Pausing | undefined {
  if (order.records !== 'onRequest' || isOver(after) || after.deaf) return undefined;
  const begins =
    order.request.way === 'follow'
      ? after.followed !== undefined && before.followed === undefined
      : after.talks && !before.talks;

  return begins ? { wish: 'paused', saying: undefined, isLine: true } : undefined;
}

function paused(before: Monitor, after: Monitor): Pausing | undefined {
  const { pausing, followed, talks, asked } = before;
  if (pausing?.isLine === true) return isOver(after) ? undefined : { ...pausing, wish: 'paused' };
  // A followed caller who talks to nobody may be paused before their next talk.
  const isTalk = followed === undefined ? talks && asked.startRecorder > 0 : followed.isTogether || !after.deaf;
  if (!isTalk || isOver(after)) return pausing;
  // More recorders of a followed call would be more of the same.
  if (pausing === undefined && followed !== undefined && asked.startRecorder >= mostRecorders) return pausing;

  return { wish: 'paused', saying: pausing?.saying };
}

function next(before: Monitor, after: Monitor, event: CallEvent, facts: CallFacts): Pausing | undefined {
  const { pausing } = before;
  if (event.type === 'pauseAsked') return paused(before, after);
  if (pausing === undefined) return begun(before, after, facts);
  if (isOver(after)) return undefined;
  const isApart = after.followed?.isTogether === false;
  if (isApart && before.followed?.isTogether === true) return { ...pausing, wish: 'paused', saying: undefined };
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- Nothing else ends or begins one.
  switch (event.type) {
    case 'resumeAsked':
    case 'recordAsked':
      if ((event.type === 'recordAsked') !== (pausing.isLine === true)) return pausing;
      return isApart ? undefined : { ...pausing, wish: 'resumed' };
    case 'pauseSaid': {
      if (event.word !== pausing.saying) return pausing;
      const ends = pausing.saying === 'resumed' && pausing.wish === 'resumed';
      if (ends && event.at !== undefined) return undefined;
      return { ...pausing, wish: ends ? 'paused' : pausing.wish, saying: undefined };
    }
    case 'eventsMissed':
      return isApart || pausing.saying === undefined ? pausing : { ...pausing, wish: 'paused', saying: undefined };
    case 'stepFailed':
      // That it goes on is said without being saved before.
      return event.step === 'save' && pausing.saying !== 'resumed'
        ? { ...pausing, wish: 'paused', saying: undefined }
        : pausing;
    default:
      return pausing;
  }
}

const isSame = (one: Pausing | undefined, other: Pausing | undefined): boolean =>
  one?.wish === other?.wish && one?.saying === other?.saying && one?.isLine === other?.isLine;

export function witnessPause(before: Monitor, after: Monitor, event: CallEvent, facts: CallFacts): Monitor {
  const pausing = next(before, after, event, facts);

  if (isSame(pausing, after.pausing)) return after;
  const isRequested = after.isRequested || (before.pausing?.isLine === true && pausing === undefined && !isOver(after));

  return { ...after, pausing, isRequested };
}
