import { Staff } from '../../../../src/call/watch/staff.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { arrival } from '../../../support/call/registryStage.ts';

test.each(['channelLeft', 'channelGone'] as const)(
  'staff who call are forgotten where they enter no bridge: %s',
  (type) => {
    const staff = new Staff((endpoint) => endpoint === '101');
    const channelId = 'staff' as ChannelId;
    staff.handle({ ...arrival(channelId, []), endpoint: '101' });
    expect(staff.has(channelId)).toBe(true);
    staff.handle({ type, at: 2, channelId, cause: 16 });
    expect(staff.has(channelId)).toBe(false);
  },
);
