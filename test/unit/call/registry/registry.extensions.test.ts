import { asLocalName, type AriEvent, type LocalName } from '../../../../src/ari/events.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { configTree, countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { endRegistries, stage } from '../../../support/call/registryStage.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { eventually } from '../../../support/poll.ts';

afterEach(endRegistries);

const talking = someFacts(countingIds());
const { bridge, recording, destination } = talking.order;

/** A call that goes on, in a house with the extensions 100 to 109. */
async function adopted(keep: (call: string, extension: string) => Promise<void>) {
  const policy = aPolicy({ ...configTree(), staff: { extensions: ['_10X', 'anna-desk'] } });
  const set = stage({ open: [stateAt('talking', talking)], policy, extensions: { keep } });
  set.ari.state.channels.push({ id: talking.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
  set.ari.state.recording.push(recorderName(recording));
  await set.registry.resync();

  return set;
}

const enters = (channelId: ChannelId, endpoint: string, bridgeId: BridgeId = bridge): AriEvent => ({
  type: 'bridgeEntered',
  at: 5,
  bridgeId,
  channelId,
  endpoint,
});

/** A half of a Local/ channel that does not go away, as that of a member of a queue: 1 is before the queue, 2 in the dialplan. */
const halfEnters = (half: 1 | 2, bridgeId: BridgeId, name = 'Local/101@from-queue-00000001'): AriEvent => ({
  type: 'bridgeEntered',
  at: 5,
  bridgeId,
  channelId: `${name} ${half}` as ChannelId,
  ...aLocalName(`${name};${half}`),
});
function aLocalName(text: string): { localName?: LocalName } {
  const localName = asLocalName(text);

  return localName === undefined ? {} : { localName };
}
const behind = 'bridge-of-the-member' as BridgeId;
const telephone = 'telephone' as ChannelId;

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

/** The extensions that are kept while these things happen. */
async function keptBy(...events: AriEvent[]): Promise<string[]> {
  const kept: string[] = [];
  const { registry } = await adopted((_, extension) => {
    kept.push(extension);
    return Promise.resolve();
  });
  registry.handle(enters(talking.callerChannel, 'trunk'));
  for (const event of events) registry.handle(event);

  return kept;
}

test.each([
  ['before', [halfEnters(2, behind), enters(telephone, '101', behind), halfEnters(1, bridge)]],
  ['after', [halfEnters(1, bridge), halfEnters(2, behind), enters(telephone, '101', behind)]],
])('a telephone behind a Local/ channel is kept where it answers %s that channel joins the call', async (_, events) => {
  expect(await keptBy(...events)).toEqual(['101']);
});

test('a telephone behind two Local/ channels is kept, as where a follow-me leads from one to the next', async () => {
  const between = 'bridge-between' as BridgeId;
  const second = 'Local/102@follow-me-00000002';
  const way = [halfEnters(2, between), halfEnters(1, between, second), halfEnters(2, behind, second)];
  expect(await keptBy(enters(telephone, '102', behind), ...way, halfEnters(1, bridge))).toEqual(['102']);
});

test('a telephone is not kept that no channel joins to the call, nor one that a party asks about it elsewhere', async () => {
  const elsewhere = 'bridge-elsewhere' as BridgeId;
  const left: AriEvent = { type: 'bridgeLeft', at: 6, bridgeId: bridge, channelId: destination };
  const outside = enters(destination, 'outside');
  expect(
    await keptBy(
      ...[halfEnters(2, behind), enters(telephone, '101', behind), outside, left],
      ...[enters(destination, 'outside', elsewhere), enters('colleague' as ChannelId, '102', elsewhere)],
    ),
  ).toEqual([]);
});

test('a call goes on where its extension cannot be kept, and the log has no extension', async () => {
  const { registry, lines, text } = await adopted(() =>
    Promise.reject(new PreavisError('catalogue_unusable', 'no room')),
  );
  registry.handle(enters(destination, 'anna-desk'));
  await eventually(() => lines.some(({ msg }) => msg === 'extension not stored'));
  expect(text()).not.toContain('anna-desk');
});
