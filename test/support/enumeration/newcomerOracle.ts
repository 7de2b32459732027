/** The oracle of those who come into a talk of a line that tells them: who is there and does not know yet. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { ChannelId } from '../../../src/core/ids.ts';
import type { Monitor } from './oracle.ts';

/** More recorders of one followed call would be more of the same, without end. */
export const mostRecorders = 2;

/** What makes a followed call begin another recorder. */
export const comingOrGoing: readonly CallEvent['type'][] = [
  'sourceChanged',
  'thirdPartyJoined',
  'thirdPartyLeft',
  'partyReplaced',
  'destinationLeft',
  'joined',
];

/** Coming and going is left out, here and in the rule, once a followed call had so many recorders. So is what is told of a recorder before one is asked for. */
export function isLeftOut({ followed, asked }: Monitor, event: CallEvent): boolean {
  const { startRecorder } = asked;
  if (followed !== undefined && startRecorder >= mostRecorders && comingOrGoing.includes(event.type)) return true;
  const isOfRecorder =
    event.type === 'recorderFinished' ||
    event.type === 'recorderFailed' ||
    (event.type === 'stepFailed' && event.step === 'startRecorder');

  return isOfRecorder && startRecorder === 0;
}

const destinationOf = ({ replaced }: Monitor): ChannelId | undefined => replaced.destination;

function present(before: Monitor, after: Monitor, event: CallEvent): readonly ChannelId[] {
  const { untoldHere, toldLater } = before;
  const without = (channel: ChannelId | undefined): readonly ChannelId[] =>
    untoldHere.filter((each) => each !== channel);
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- Most have nothing to do with who is there.
  switch (event.type) {
    case 'thirdPartyJoined': {
      const isNew = after.others.length > before.others.length && !toldLater.includes(event.channel);
      return isNew ? [...without(event.channel), event.channel] : untoldHere;
    }
    case 'partyReplaced': {
      if (after.followed !== undefined)
        return present(before, after, { type: 'thirdPartyJoined', channel: event.channel });
      if (event.party !== 'destination' || after === before) return untoldHere;
      const isKnown = toldLater.includes(event.channel) || before.others.includes(event.channel);
      return isKnown || after.replaced.destination === before.replaced.destination
        ? untoldHere
        : [...without(event.channel), event.channel];
    }
    case 'joined':
      if (after.followed === undefined || after === before) return untoldHere;
      return event.others.filter((each) => !after.followed?.met.includes(each) && !toldLater.includes(each));
    case 'thirdPartyLeft':
      return before.others.includes(event.channel) ? without(event.channel) : untoldHere;
    case 'destinationLeft':
      return after.replaced.destination === before.replaced.destination ? untoldHere : without(destinationOf(before));
    case 'newcomerTold':
      return without(event.channel);
    default:
      return untoldHere;
  }
}

/** Where those who come are told, only who is not going to be is a stranger. */
export function witnessTelling(before: Monitor, after: Monitor, event: CallEvent): Monitor {
  const { untoldHere } = before;
  const isOver = after.refused !== 'no' || after.callerLeft || after.spent.room || after.followed?.isTogether === false;
  const isTalk = before.talks || after.followed !== undefined;
  const mayBeTold = ['thirdPartyJoined', 'partyReplaced', 'destinationLeft', 'joined'].includes(event.type);
  const isCallers = after.replaced.caller !== before.replaced.caller;
  const here = present(before, after, event);
  const isMissed = event.type === 'eventsMissed' && untoldHere.length > 0;
  const isUntold = event.type === 'newcomerUntold' && untoldHere.includes(event.channel);
  // When the last of them left is not known.
  const isTimeless = here.length === 0 && untoldHere.length > 0 && 'at' in event && event.at === undefined;
  const stranger =
    before.stranger ||
    isMissed ||
    isUntold ||
    (isTimeless && !isOver) ||
    (after.stranger && (!isTalk || !mayBeTold || isCallers));
  const told = event.type === 'newcomerTold' && untoldHere.includes(event.channel) ? [event.channel] : [];
  const next = stranger || isOver ? [] : here;
  const isSame = stranger === after.stranger && told.length === 0 && next.join() === after.untoldHere.join();

  return isSame ? after : { ...after, stranger, untoldHere: next, toldLater: [...after.toldLater, ...told] };
}
