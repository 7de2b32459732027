import { withStaff, type StaffPorts } from '../../../../src/call/session/newcomerEvents.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';

const [local, desk, other] = ['local', 'desk', 'other'] as [ChannelId, ChannelId, ChannelId];
/** The desk is of the house, and so is who is behind the Local/ channel. */
const ports: StaffPorts = { isStaff: (channel) => channel === desk, isBeforeStaff: (channel) => channel === local };
const joined = (...others: ChannelId[]): CallEvent => ({ type: 'joined', bridge: 'b' as BridgeId, others, at: 1 });
const third = (channel: ChannelId): CallEvent => ({ type: 'thirdPartyJoined', channel, at: 1 });

test.each<[string, CallEvent, ChannelId[] | undefined]>([
  ['a telephone of the house', joined(desk), [desk]],
  ['one that comes as a third', third(desk), [desk]],
  ['a Local/ channel before staff, as of an attended transfer by a feature code', joined(local), [local]],
  ['such a channel and a telephone of the house', joined(local, desk), [local, desk]],
])('%s is staff', (_, event, staff) => {
  expect(withStaff(event, ports)).toEqual({ ...event, staff });
});

test.each<[string, CallEvent]>([
  ['somebody else', joined(other)],
  ['a Local/ channel as a third: nobody tells who comes behind it later', third(local)],
  ['one that is not the party', joined(other, local)],
])('%s is not', (_, event) => {
  expect(withStaff(event, ports)).toEqual(event);
});
