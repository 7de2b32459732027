import { asLocalName, otherHalf, type AriEvent, type LocalName } from '../../../../src/ari/events.ts';
import type { Owned } from '../../../../src/ari/port.ts';
import { BridgeMap } from '../../../../src/call/watch/bridgeMap.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';

const local = (text: string): LocalName => {
  const name = asLocalName(text);
  if (name === undefined) throw new Error(`${text} is no Local/ channel`);

  return name;
};
const near = 'near' as ChannelId;
const [one, two] = [local('Local/600@ring-00000001;1'), local('Local/600@ring-00000001;2')];
const [three, four] = [local('Local/7@agents-00000002;1'), local('Local/7@agents-00000002;2')];

/** `channel>bridge`, with the name of a Local/ channel behind it, or `channel<bridge`. */
function entered(channel: string, bridge: string, localName?: LocalName, isHolding = false): AriEvent {
  const event = {
    type: 'bridgeEntered',
    at: 1,
    bridgeId: bridge as BridgeId,
    channelId: channel as ChannelId,
    ...(isHolding ? { isHolding: true as const } : {}),
  } as const;

  return localName === undefined ? event : { ...event, localName };
}
const left = (channel: string, bridge: string): AriEvent => ({
  type: 'bridgeLeft',
  at: 2,
  bridgeId: bridge as BridgeId,
  channelId: channel as ChannelId,
});

function mapAfter(...events: AriEvent[]): BridgeMap {
  const map = new BridgeMap();
  for (const event of events) map.handle(event);

  return map;
}

const ours = [entered('caller', 'ours'), entered('near', 'ours', one)];
const talk = [entered('far', 'b', two), entered('agent', 'b')];
const behind = (map: BridgeMap) => map.farEndOf(near);

test('the name of a half tells the other, and no other name is one', () => {
  expect([otherHalf(one), otherHalf(two)]).toEqual([two, one]);
  expect(['PJSIP/100-00000001', 'Local/600@ring-00000001', 'SIP/Local/1;1', ''].map(asLocalName)).toEqual(
    Array(4).fill(undefined),
  );
});

describe('behind a Local/ channel', () => {
  test.each<[string, AriEvent[], readonly string[], boolean]>([
    ['is nobody before its other half is in a bridge', ours, [], false],
    ['is who is in the bridge of its other half', [...ours, ...talk], ['agent'], false],
    ['are all who are there', [...ours, ...talk, entered('third', 'b')], ['agent', 'third'], false],
    ['is the next after a transfer', [...ours, ...talk, left('agent', 'b'), entered('next', 'b')], ['next'], false],
    [
      'is the next in another bridge',
      [...ours, ...talk, left('far', 'b'), entered('next', 'c'), entered('far', 'c', two)],
      ['next'],
      false,
    ],
    ['waits its other half alone', [...ours, ...talk, left('agent', 'b')], [], true],
    ['is nobody when its other half has left', [...ours, ...talk, left('far', 'b')], [], false],
    [
      'is whoever is behind a further one',
      [...ours, entered('far', 'b', two), entered('l1', 'b', three), entered('l2', 'c', four), entered('agent', 'c')],
      ['agent'],
      false,
    ],
    [
      'is nobody while a further one leads nowhere',
      [...ours, entered('far', 'b', two), entered('l1', 'b', three)],
      [],
      false,
    ],
    [
      'is who takes the place of a further one',
      [
        ...ours,
        entered('far', 'b', two),
        entered('l1', 'b', three),
        entered('l2', 'c', four),
        entered('agent', 'c'),
        left('agent', 'c'),
        entered('agent', 'b'),
        left('l1', 'b'),
        left('l2', 'c'),
      ],
      ['agent'],
      false,
    ],
    [
      'is nobody who waits in the same parking lot, nor whom a further half waits with',
      [...ours, entered('far', 'lot', two, true), entered('parked', 'lot', undefined, true)],
      [],
      true,
    ],
    [
      'is who takes it out of the parking lot',
      [
        ...ours,
        entered('parked', 'lot', undefined, true),
        entered('far', 'lot', two, true),
        left('far', 'lot'),
        entered('far', 'b', two),
        entered('agent', 'b'),
      ],
      ['agent'],
      false,
    ],
    [
      'is nobody after its bridge is gone',
      [...ours, ...talk, { type: 'bridgeGone', at: 3, bridgeId: 'b' as BridgeId }],
      [],
      false,
    ],
  ])('%s', (_, events, channels, isWaiting) => {
    expect(behind(mapAfter(...events))).toEqual({ channels, isWaiting });
  });

  test('is found also where two lead to each other', () => {
    const round = [entered('far', 'b', two), entered('l1', 'b', three), entered('l2', 'b', four)];
    expect(behind(mapAfter(...ours, ...round))).toEqual({ channels: [], isWaiting: false });
  });
});

test('another channel has nobody behind it', () => {
  const map = mapAfter(...ours, ...talk);
  expect(map.farEndOf('caller' as ChannelId)).toBeUndefined();
  expect(map.farEndOf('nowhere' as ChannelId)).toBeUndefined();
});

test('a bridge lies behind the halves that lead to it, over however many', () => {
  const map = mapAfter(
    ...ours,
    entered('far', 'b', two),
    entered('l1', 'b', three),
    entered('l2', 'c', four),
    entered('agent', 'c'),
    entered('somebody', 'd'),
  );
  expect([...map.before('c' as BridgeId)]).toEqual(expect.arrayContaining(['near', 'l1']));
  expect([...map.before('d' as BridgeId)]).toEqual([]);
});

describe('after events were missed', () => {
  const listed = (members: Record<string, string[]>): Owned => ({
    channels: [],
    listed: new Map(),
    localNames: new Map<ChannelId, LocalName>([
      [near, one],
      ['far' as ChannelId, two],
    ]),
    bridges: Object.entries(members).map(([id, each]) => ({
      id: id as BridgeId,
      isOurs: id === 'ours',
      isHolding: id === 'lot',
      members: each as ChannelId[],
      answered: [],
    })),
  });

  test('what Asterisk lists holds', () => {
    const map = mapAfter(...ours, ...talk);
    map.clear();
    expect(behind(map)).toBeUndefined();
    map.fill(listed({ ours: ['caller', 'near'], b: ['far', 'next'] }));
    expect(behind(map)).toEqual({ channels: ['next'], isWaiting: false });
  });

  test('what is listed again is older than the events since', () => {
    const map = mapAfter(...ours, ...talk);
    map.clear();
    map.fill(listed({ ours: ['caller', 'near'], b: ['far', 'agent'] }));
    map.handle(left('agent', 'b'));
    map.handle(entered('next', 'b'));
    map.fill(listed({ ours: ['caller', 'near'], b: ['far', 'agent'] }));
    expect(behind(map)).toEqual({ channels: ['next'], isWaiting: false });
  });

  test('who waits in a parking lot is nobody', () => {
    const map = new BridgeMap();
    map.fill(listed({ ours: ['caller', 'near'], lot: ['far', 'parked'] }));
    expect(behind(map)).toEqual({ channels: [], isWaiting: true });
  });

  test('an event since then is newer than what is listed', () => {
    const map = new BridgeMap();
    map.handle(left('agent', 'b'));
    map.handle(entered('next', 'b'));
    map.fill(listed({ ours: ['caller', 'near'], b: ['far', 'agent'] }));
    expect(behind(map)).toEqual({ channels: ['next'], isWaiting: false });
  });
});

test('of what happens beside nothing stays, before as after it was compared', () => {
  const passing = (count: number): AriEvent[] =>
    Array.from({ length: count }, (_, index) => `passer-${index}`).flatMap((channel) => [
      entered(channel, 'elsewhere', undefined, true),
      left(channel, 'elsewhere'),
    ]);
  const map = new BridgeMap();
  for (const event of passing(100)) map.handle(event);
  map.fill({ channels: [], listed: new Map(), localNames: new Map(), bridges: [] });
  for (const event of passing(100)) map.handle(event);
  expect(map.size).toBe(0);
  map.clear();
  expect(map.size).toBe(0);
});

test('nothing is kept of who has left', () => {
  const map = mapAfter(
    ...ours,
    ...talk,
    left('far', 'b'),
    left('agent', 'b'),
    left('near', 'ours'),
    left('caller', 'ours'),
  );
  expect(behind(map)).toBeUndefined();
  expect(map.isLocal('far' as ChannelId)).toBe(false);
});

test('a caller who is in no bridge is known until their call has ended', () => {
  const map = mapAfter(...talk);
  const arrival = {
    type: 'channelArrived',
    at: 1,
    channelId: near,
    args: [] as string[],
    callerNumber: '',
    language: '',
  } as const;
  map.handle({ ...arrival, replaces: undefined, localName: one });
  expect(behind(map)).toEqual({ channels: ['agent'], isWaiting: false });
  map.forget(near);
  expect(behind(map)).toBeUndefined();
});
