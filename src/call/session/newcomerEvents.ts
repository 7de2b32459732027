import type { ChannelId } from '../../core/ids.ts';
import type { CallEvent } from '../decide/events.ts';
import type { CallState } from '../decide/state.ts';

/** What an event is to those who come into a call. */

function comersOf(event: CallEvent): readonly ChannelId[] {
  if (event.type === 'thirdPartyJoined' || event.type === 'partyReplaced') return [event.channel];
  if (event.type === 'farEndSeen') return event.channels;

  return event.type === 'joined' ? event.others : [];
}

/** The party that comes with this event. Whoever comes behind their Local/ channel later is told of; of a third one's nobody would be. */
function partyIn(event: CallEvent): ChannelId | undefined {
  if (event.type === 'partyReplaced') return event.channel;

  return event.type === 'joined' ? event.others[0] : undefined;
}

export type StaffPorts = {
  /** Whether this channel is a telephone of the house. */
  isStaff: (channel: ChannelId) => boolean;
  /** Whether this is a Local/ channel with nobody but telephones of the house behind it, as in a transfer by a feature code. */
  isBeforeStaff: (channel: ChannelId) => boolean;
};

/** The event with who of those who come is staff. */
export function withStaff(event: CallEvent, { isStaff, isBeforeStaff }: StaffPorts): CallEvent {
  const party = partyIn(event);
  const staff = comersOf(event).filter((each) => isStaff(each) || (each === party && isBeforeStaff(each)));

  return staff.length === 0 ? event : ({ ...event, staff } as CallEvent);
}

const tellingIn = (state: CallState): readonly ChannelId[] => (state.kind === 'talking' ? state.telling : []);

/**
 * From when on nobody is there any more who was not told, by Asterisk's clock, ms: they were told, or left, or the caller left them. undefined
 * where that is no news, and where recording has ended for it.
 */
export function allToldAt(before: CallState, after: CallState, event: CallEvent): number | undefined {
  if (tellingIn(before).length === 0 || tellingIn(after).length > 0) return undefined;
  if ('untold' in after ? after.untold : true) return undefined;
  if (event.type === 'newcomerTold') return event.told.finishedAt;

  return 'at' in event ? event.at : undefined;
}
