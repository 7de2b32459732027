import type { ChannelId } from '../../core/ids.ts';
import type { CallEvent } from '../decide/events.ts';
import type { CallState } from '../decide/state.ts';

/** What an event is to those who come into a call. */

function comersOf(event: CallEvent): readonly ChannelId[] {
  if (event.type === 'thirdPartyJoined' || event.type === 'partyReplaced') return [event.channel];
  if (event.type === 'farEndSeen') return event.channels;

  return event.type === 'joined' ? event.others : [];
}

/** The event with who of those who come is staff. */
export function withStaff(event: CallEvent, isStaff: (channel: ChannelId) => boolean): CallEvent {
  const staff = comersOf(event).filter(isStaff);

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
