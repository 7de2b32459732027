import type { AriEvent } from '../../../../src/ari/events.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { configTree, countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { endRegistries, stage } from '../../../support/call/registryStage.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { eventually } from '../../../support/poll.ts';

afterEach(endRegistries);

const talking = someFacts(countingIds());
const { bridge, recording, destination } = talking.order;

/** A call that goes on, in a house with the extensions 100 to 109. */
async function adopted(keep: (call: string, extension: string) => Promise<void>) {
  const policy = aPolicy({ ...configTree(), staff: { extensions: ['_10X'] } });
  const set = stage({ open: [stateAt('talking', talking)], policy, extensions: { keep } });
  set.ari.state.channels.push({ id: talking.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
  set.ari.state.recording.push(recorderName(recording));
  await set.registry.resync();

  return set;
}

const enters = (channelId: ChannelId, endpoint: string): AriEvent => ({
  type: 'bridgeEntered',
  at: 5,
  bridgeId: bridge,
  channelId,
  endpoint,
});

test('the telephone of the house that comes into the bridge is kept for the call, the first one and once', async () => {
  const kept: string[] = [];
  const { registry } = await adopted((call, extension) => {
    kept.push(`${call} ${extension}`);
    return Promise.resolve();
  });
  registry.handle(enters(talking.callerChannel, 'trunk'));
  registry.handle(enters(destination, '101'));
  registry.handle(enters(destination, '101'));
  registry.handle(enters('another' as ChannelId, '102'));
  expect(kept).toEqual([`${talking.id} 101`]);
});

test('a call goes on where its extension cannot be kept, and the log has no extension', async () => {
  const { registry, lines, text } = await adopted(() =>
    Promise.reject(new PreavisError('catalogue_unusable', 'no room')),
  );
  registry.handle(enters(destination, '109'));
  await eventually(() => lines.some(({ msg }) => msg === 'extension not stored'));
  expect(text()).not.toContain('109');
});
