import { endpointsIn, type Scene } from '../../../src/cli/telephones.ts';
import type { LocalName } from '../../../src/ari/events.ts';
import type { BridgeId, ChannelId } from '../../../src/core/ids.ts';
import { aFollowed, anOutgoing, countingIds, someFacts } from '../../support/call/calls.ts';

const channel = (name: string): ChannelId => name as ChannelId;

function scene(endpoints: Record<string, string>, bridges: string[][], localNames: Record<string, string> = {}): Scene {
  return {
    endpoints: new Map(Object.entries(endpoints).map(([id, name]) => [channel(id), name])),
    localNames: new Map(Object.entries(localNames).map(([id, name]) => [channel(id), name as LocalName])),
    bridges: bridges.map((members, index) => ({
      id: `bridge-${index}` as BridgeId,
      isOurs: false,
      members: members.map(channel),
      answered: [],
    })),
  };
}

const followed = aFollowed();
const { callerChannel } = followed;

test('a call has the telephones of those who talk in it, and of nobody else', () => {
  const now = scene({ [callerChannel]: 'trunk', agent: '101', other: '102', third: '103' }, [
    [callerChannel, 'agent'],
    ['other', 'third'],
  ]);
  expect(endpointsIn(followed, now)).toEqual(['101', 'trunk']);
});

test('behind a Local/ channel there is the telephone that answered', () => {
  const now = scene(
    { [callerChannel]: 'trunk', agent: '101' },
    [
      [callerChannel, 'one'],
      ['two', 'agent'],
    ],
    { one: 'Local/101@queue-00000001;1', two: 'Local/101@queue-00000001;2' },
  );
  expect(endpointsIn(followed, now)).toEqual(['101', 'trunk']);
});

test('a telephone that rings where Préavis dials is in the call, and so is who dialled out', () => {
  const facts = someFacts(countingIds());
  const ringing = scene({ [facts.callerChannel]: 'trunk', [facts.order.destination]: '101' }, []);
  expect(endpointsIn(facts, ringing)).toEqual(['101', 'trunk']);
  const outgoing = anOutgoing();
  expect(endpointsIn(outgoing, scene({ 'dialler-1': '102', [outgoing.callerChannel]: 'trunk' }, []))).toEqual([
    '102',
    'trunk',
  ]);
});

test('whoever waits in the same parking lot is in no call', () => {
  const lot = scene({ [callerChannel]: 'trunk', other: '104' }, [[callerChannel, 'other']]);
  const now = { ...lot, bridges: lot.bridges.map((each) => ({ ...each, isHolding: true })) };
  expect(endpointsIn(followed, now)).toEqual(['trunk']);
});
