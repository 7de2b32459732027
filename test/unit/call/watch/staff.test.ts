import { StaffWatch } from '../../../../src/call/watch/staff.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { arrival } from '../../../support/call/registryStage.ts';

const channelId = 'staff' as ChannelId;
const those = (...endpoints: string[]) => ({ has: (endpoint: string) => endpoints.includes(endpoint) });

test.each(['channelLeft', 'channelGone'] as const)(
  'staff who call are forgotten where they enter no bridge: %s',
  (type) => {
    const staff = new StaffWatch();
    staff.handle({ ...arrival(channelId, []), endpoint: '101' });
    expect(staff.has(channelId, those('101'))).toBe(true);
    staff.handle({ type, at: 2, channelId, cause: 16 });
    expect(staff.has(channelId, those('101'))).toBe(false);
  },
);

test('a telephone of one company is none of the staff of another', () => {
  const staff = new StaffWatch();
  staff.handle({ type: 'bridgeEntered', at: 1, bridgeId: 'b' as BridgeId, channelId, endpoint: 'acme-101' });
  expect([those('acme-101'), those('bakker-101')].map((each) => staff.has(channelId, each))).toEqual([true, false]);
});
