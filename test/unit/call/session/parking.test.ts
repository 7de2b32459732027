import type { AriEvent } from '../../../../src/ari/events.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { endRegistries, stage } from '../../../support/call/registryStage.ts';
import { eventually } from '../../../support/poll.ts';

afterEach(endRegistries);

const talking = someFacts(countingIds());
const { bridge, recording, destination } = talking.order;
const caller = talking.callerChannel;

async function talk() {
  const set = stage({ open: [stateAt('talking', talking)] });
  set.ari.state.channels.push({ id: caller, state: 'Up' }, { id: destination, state: 'Up' });
  set.ari.state.recording.push(recorderName(recording));
  await set.registry.resync();
  set.ari.asked.length = 0;

  return set;
}

const parking = (by: ChannelId): AriEvent => ({
  type: 'blindTransfer',
  at: 6,
  bridgeId: bridge,
  channelId: by,
  channelName: 'PJSIP/100-0000002a',
  context: 'internal',
  extension: '700',
});
const goesOn = `continueInDialplan ${caller} {"context":"internal","extension":"700"}`;

test('a caller who is to be parked goes on at the lot, and the recording ends, though the telephone hangs up at once', async () => {
  const { registry, ari } = await talk();
  registry.handle(parking(destination));
  registry.handle({ type: 'channelHangingUp', at: 7, channelId: destination });
  registry.handle({ type: 'channelLeft', at: 7, channelId: destination });
  await eventually(() => ari.asked.includes(goesOn) && ari.asked.includes(`destroyBridge ${bridge}`));
  expect(ari.asked).toEqual(
    expect.arrayContaining([
      `setVariable ${caller} BLINDTRANSFER PJSIP/100-0000002a`,
      `stopRecorder ${recorderName(recording)}`,
      `hangUp ${destination}`,
    ]),
  );
  expect(ari.asked).not.toContain(`hangUp ${caller}`);
});

test('a serve that is stopped waits until the caller has gone on, and leaves the rest of the call behind that', async () => {
  const { registry, ari } = await talk();
  const letGo = ari.hold('continueInDialplan');
  registry.handle(parking(destination));
  let isStopped = false;
  const stopping = registry.abandon().then(() => (isStopped = true));
  await eventually(() => ari.asked.includes(goesOn));
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  expect({ isStopped, asked: ari.asked.at(-1) }).toEqual({ isStopped: false, asked: goesOn });
  letGo();
  await stopping;
  expect(ari.asked).toContain(`stopRecorder ${recorderName(recording)}`);
  expect(ari.asked).not.toContain(`hangUp ${caller}`);
});

test('a caller whom Asterisk does not let go on there is hung up, and not left with nobody', async () => {
  const { registry, ari } = await talk();
  ari.refuse('continueInDialplan', 'ari_unauthorized');
  registry.handle(parking(destination));
  await eventually(() => ari.asked.includes(`hangUp ${caller}`));
});

test('a caller whom Asterisk parks itself, without a recorder, or has elsewhere when it is asked again, is left there', async () => {
  const parked = await talk();
  parked.registry.handle({ type: 'recorderFinished', at: 5, name: recorderName(recording) });
  parked.registry.handle(parking(destination));
  const elsewhere = await talk();
  elsewhere.ari.refuse('continueInDialplan', 'ari_not_found');
  elsewhere.registry.handle(parking(destination));
  await eventually(() => elsewhere.ari.asked.includes(`destroyBridge ${bridge}`));
  expect([...parked.ari.asked, ...elsewhere.ari.asked]).not.toContain(`hangUp ${caller}`);
  expect(parked.ari.asked.filter((each) => each.startsWith('continueInDialplan'))).toEqual([]);
});

test('neither a caller who parks, nor one of three, is sent anywhere', async () => {
  const { registry, ari } = await talk();
  registry.handle(parking(caller));
  registry.handle({ type: 'bridgeEntered', at: 5, bridgeId: bridge, channelId: 'third' as ChannelId });
  registry.handle(parking(destination));
  await eventually(() => ari.asked.includes(`stopRecorder ${recorderName(recording)}`));
  expect(ari.asked.filter((each) => each.startsWith('continueInDialplan'))).toEqual([]);
});

test('a caller whom Asterisk has parked itself stays there when the telephone that has parked them hangs up', async () => {
  const { registry, ari } = await talk();
  registry.handle({ type: 'recorderFinished', at: 5, name: recorderName(recording) });
  registry.handle(parking(destination));
  registry.handle({ type: 'bridgeLeft', at: 6, bridgeId: bridge, channelId: caller });
  registry.handle({ type: 'channelHangingUp', at: 7, channelId: destination });
  await eventually(() => ari.asked.includes(`destroyBridge ${bridge}`));
  expect(ari.asked).not.toContain(`hangUp ${caller}`);
});

test('a caller whom Asterisk had agreed to park goes on at the lot when the telephone hangs up before it has', async () => {
  const { registry, ari } = await talk();
  registry.handle({ type: 'recorderFinished', at: 5, name: recorderName(recording) });
  registry.handle(parking(destination));
  registry.handle({ type: 'channelHangingUp', at: 7, channelId: destination });
  await eventually(() => ari.asked.includes(goesOn) && ari.asked.includes(`destroyBridge ${bridge}`));
  expect(ari.asked).not.toContain(`hangUp ${caller}`);
});

test('a caller who was not parked after all is not left with nobody when the other telephone hangs up later', async () => {
  const { registry, ari } = await talk();
  registry.handle({ type: 'recorderFinished', at: 5, name: recorderName(recording) });
  registry.handle(parking(destination));
  registry.handle({ type: 'bridgeLeft', at: 6, bridgeId: bridge, channelId: caller });
  registry.handle({ type: 'bridgeEntered', at: 6, bridgeId: bridge, channelId: caller });
  registry.handle({ type: 'channelHangingUp', at: 60_000, channelId: destination });
  await eventually(() => ari.asked.includes(`hangUp ${caller}`));
  expect(ari.asked).not.toContain(goesOn);
});
