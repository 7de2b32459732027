import { parseAriEvent, usedEventTypes } from '../../../src/ari/events.ts';

const timestamp = '2026-08-24T12:00:00.123+0200';
const at = Date.UTC(2026, 7, 24, 10, 0, 0, 123);

/** As Asterisk documents them, with more in them than is used. */
const channel = (over: Record<string, unknown> = {}) => ({
  id: '1756029600.12',
  name: 'PJSIP/trunk-0000000a',
  state: 'Up',
  protocol_id: '0d8f@example.org',
  caller: { name: 'Jeanne', number: '+3225501234' },
  connected: { name: '', number: '' },
  accountcode: '',
  dialplan: { context: 'default', exten: '100', priority: 2, app_name: 'Stasis', app_data: 'preavis,to=PJSIP/100' },
  creationtime: '2026-08-24T12:00:00.000+0200',
  language: 'en',
  ...over,
});
const common = { application: 'preavis', asterisk_id: '02:42:ac:11:00:02', timestamp };
const playback = (state: string) => ({
  id: 'preavis-1',
  media_uri: 'sound:x',
  target_uri: 'channel:1',
  language: 'fr',
  state,
});
const recording = (over: Record<string, unknown> = {}) => ({
  name: 'preavis-1',
  format: 'wav',
  state: 'recording',
  target_uri: 'bridge:preavis-2',
  ...over,
});
const bridge = {
  id: 'preavis-2',
  technology: 'simple_bridge',
  bridge_type: 'mixing',
  bridge_class: 'stasis',
  channels: [],
};

const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
  [
    'the arrival of a caller',
    { type: 'StasisStart', args: ['to=PJSIP/100', 'line=sales'], channel: channel({ state: 'Ring' }) },
    {
      type: 'channelArrived',
      channelId: '1756029600.12',
      args: ['to=PJSIP/100', 'line=sales'],
      callerNumber: '+3225501234',
      language: 'en',
      endpoint: 'trunk',
    },
  ],
  [
    'a channel that was asked to hang up',
    { type: 'ChannelHangupRequest', cause: 16, soft: true, channel: channel() },
    { type: 'channelHangingUp', channelId: '1756029600.12' },
  ],
  [
    'a channel that left the application',
    { type: 'StasisEnd', channel: channel() },
    { type: 'channelLeft', channelId: '1756029600.12' },
  ],
  [
    'a channel that was hung up',
    { type: 'ChannelDestroyed', cause: 17, cause_txt: 'User busy', channel: channel({ state: 'Down' }) },
    { type: 'channelGone', channelId: '1756029600.12', cause: 17 },
  ],
  [
    'a channel that is about to be hung up',
    { type: 'ChannelHangupRequest', cause: 16, channel: channel() },
    { type: 'channelHangingUp', channelId: '1756029600.12' },
  ],
  [
    'a key that was let go',
    { type: 'ChannelDtmfReceived', digit: '9', duration_ms: 120, channel: channel() },
    { type: 'digit', channelId: '1756029600.12', digit: '9', durationMs: 120 },
  ],
  [
    'a program that asks for a pause of the call of a channel',
    {
      type: 'ChannelUserevent',
      eventname: 'preavisPause',
      userevent: { eventname: 'preavisPause' },
      channel: channel(),
    },
    { type: 'userEvent', task: 'pause', channel: '1756029600.12', call: undefined },
  ],
  [
    'a program that asks a call by its id to go on',
    {
      type: 'ChannelUserevent',
      eventname: 'preavisResume',
      userevent: { eventname: 'preavisResume', call: '01K3P8X7G2T8V5B6C7D8E9F0AB' },
    },
    { type: 'userEvent', task: 'resume', channel: undefined, call: '01K3P8X7G2T8V5B6C7D8E9F0AB' },
  ],
  [
    'what the other worker was asked, of a call that it has not',
    {
      type: 'ChannelUserevent',
      eventname: 'preavisPause',
      userevent: { eventname: 'preavisPause', channel: '1756029600.12', passedOn: '0' },
    },
    { type: 'userEvent', task: 'pause', channel: '1756029600.12', call: undefined, isPassedOn: true },
  ],
  [
    'a channel that puts us on hold',
    { type: 'ChannelHold', musicclass: 'default', channel: channel() },
    { type: 'channelHeld', channelId: '1756029600.12' },
  ],
  [
    'a channel that is back from a hold',
    { type: 'ChannelUnhold', channel: channel() },
    { type: 'channelResumed', channelId: '1756029600.12' },
  ],
  [
    'a party that begins to talk',
    { type: 'ChannelTalkingStarted', channel: channel() },
    { type: 'talk', channelId: '1756029600.12', talking: true },
  ],
  [
    'a party that falls silent',
    { type: 'ChannelTalkingFinished', duration: 2_500, channel: channel() },
    { type: 'talk', channelId: '1756029600.12', talking: false },
  ],
  [
    'a channel that comes into a bridge',
    { type: 'ChannelEnteredBridge', bridge, channel: channel() },
    {
      type: 'bridgeEntered',
      bridgeId: 'preavis-2',
      channelId: '1756029600.12',
      endpoint: 'trunk',
      number: '+3225501234',
    },
  ],
  [
    'a caller who is to be parked by a telephone',
    {
      type: 'BridgeBlindTransfer',
      bridge,
      channel: channel(),
      transferee: channel({ id: '1756029600.10' }),
      exten: '700',
      context: 'internal',
      is_external: true,
      result: 'Success',
    },
    {
      type: 'blindTransfer',
      bridgeId: 'preavis-2',
      channelId: '1756029600.12',
      channelName: 'PJSIP/trunk-0000000a',
      context: 'internal',
      extension: '700',
    },
  ],
  [
    'a channel that comes into a parking lot',
    {
      type: 'ChannelEnteredBridge',
      bridge: { ...bridge, technology: 'holding_bridge', bridge_type: 'holding' },
      channel: channel(),
    },
    {
      type: 'bridgeEntered',
      bridgeId: 'preavis-2',
      channelId: '1756029600.12',
      endpoint: 'trunk',
      number: '+3225501234',
      isHolding: true,
    },
  ],
  [
    'a channel that leaves a bridge',
    { type: 'ChannelLeftBridge', bridge, channel: channel() },
    { type: 'bridgeLeft', bridgeId: 'preavis-2', channelId: '1756029600.12' },
  ],
  [
    'a channel that answered',
    { type: 'ChannelStateChange', channel: channel() },
    { type: 'channelUp', channelId: '1756029600.12' },
  ],
  [
    'a channel that rings',
    { type: 'ChannelStateChange', channel: channel({ state: 'Ringing' }) },
    { type: 'channelRinging', channelId: '1756029600.12' },
  ],
  [
    'an answer that only the dialling tells',
    { type: 'Dial', dialstatus: 'ANSWER', peer: channel({ id: 'preavis-3' }), caller: channel() },
    { type: 'channelUp', channelId: 'preavis-3' },
  ],
  [
    'what the dialplan dials, with the technology that the name of the channel has',
    {
      type: 'Dial',
      dialstatus: '',
      dialstring: '112@trunk',
      peer: channel({ id: 'preavis-3', name: 'PJSIP/trunk-00000001' }),
      caller: channel({ id: 'caller-1' }),
    },
    { type: 'channelDialled', channelId: 'preavis-3', callerId: 'caller-1', dialString: 'PJSIP/112@trunk' },
  ],
  [
    'what a queue dials, which has the technology already',
    {
      type: 'Dial',
      dialstatus: '',
      dialstring: 'PJSIP/107',
      peer: channel({ id: 'preavis-3', name: 'PJSIP/107-00000001' }),
      caller: channel({ id: 'caller-1' }),
    },
    { type: 'channelDialled', channelId: 'preavis-3', callerId: 'caller-1', dialString: 'PJSIP/107' },
  ],
  [
    'ringing that only the dialling tells',
    { type: 'Dial', dialstatus: 'RINGING', peer: channel({ id: 'preavis-3' }) },
    { type: 'channelRinging', channelId: 'preavis-3' },
  ],
  [
    'the start of a playback',
    { type: 'PlaybackStarted', playback: playback('playing') },
    { type: 'playbackStarted', playbackId: 'preavis-1' },
  ],
  [
    'the end of a playback',
    { type: 'PlaybackFinished', playback: playback('done') },
    { type: 'playbackFinished', playbackId: 'preavis-1', outcome: 'done' },
  ],
  [
    'a playback that failed',
    { type: 'PlaybackFinished', playback: playback('failed') },
    { type: 'playbackFinished', playbackId: 'preavis-1', outcome: 'failed' },
  ],
  [
    'a playback that ended in a way that no version documents, which proves nothing',
    { type: 'PlaybackFinished', playback: playback('cancelled') },
    { type: 'playbackFinished', playbackId: 'preavis-1', outcome: 'failed' },
  ],
  [
    'the start of a recorder',
    { type: 'RecordingStarted', recording: recording() },
    { type: 'recorderStarted', name: 'preavis-1' },
  ],
  [
    'the end of a recorder',
    { type: 'RecordingFinished', recording: recording({ state: 'done', duration: 5 }) },
    { type: 'recorderFinished', name: 'preavis-1' },
  ],
  [
    'a recorder that failed',
    { type: 'RecordingFailed', recording: recording({ state: 'failed', cause: 'no room' }) },
    { type: 'recorderFailed', name: 'preavis-1', cause: 'no room' },
  ],
  [
    'a recorder that failed without a cause',
    { type: 'RecordingFailed', recording: recording() },
    { type: 'recorderFailed', name: 'preavis-1', cause: 'unknown' },
  ],
  [
    'a channel that is asked to hang up',
    { type: 'ChannelHangupRequest', channel: channel() },
    { type: 'channelHangingUp', channelId: channel().id },
  ],
  ['the end of a bridge', { type: 'BridgeDestroyed', bridge }, { type: 'bridgeGone', bridgeId: 'preavis-2' }],
  [
    'a caller who is offered to several applications',
    { type: 'CallBroadcast', channel: channel(), caller: '+3242345678', called: '100' },
    { type: 'channelOffered', channelId: '1756029600.12' },
  ],
  ['another process that took the application over', { type: 'ApplicationReplaced' }, { type: 'applicationReplaced' }],
];

describe('an event of Asterisk', () => {
  test.each(cases)('tells %s, by the clock of Asterisk', (_, event, expected) => {
    expect(parseAriEvent({ ...common, ...event })).toEqual({ at, ...expected });
  });

  test.each(usedEventTypes)('of the type %s has an example here', (type) => {
    expect(cases.map(([, event]) => event['type'])).toContain(type);
  });

  test.each([
    { type: 'ChannelStateChange', channel: channel({ state: 'Ring' }) },
    { type: 'Dial', dialstatus: '', peer: channel() },
    { type: 'Dial', dialstatus: 'BUSY', peer: channel() },
    { type: 'ChannelVarset', variable: 'X', value: 'Y' },
    { type: 'PlaybackContinuing', playback: playback('continuing') },
    { type: 'SomethingNew' },
  ])('of no use is left aside: $type', (event) => {
    expect(parseAriEvent({ ...common, ...event })).toBeUndefined();
  });

  test('may lack the number of a caller who withholds it, and a language', () => {
    const withheld = { ...channel(), caller: { name: '', number: '' }, language: undefined };
    expect(parseAriEvent({ ...common, type: 'StasisStart', args: [], channel: withheld })).toMatchObject({
      callerNumber: '',
      language: '',
    });
    const without = { id: 'x', state: 'Up' };
    expect(parseAriEvent({ ...common, type: 'StasisStart', args: [], channel: without })).toMatchObject({
      callerNumber: '',
    });
  });
});

describe('the time of an event', () => {
  test.each([
    ['2026-08-24T10:00:00.123+0000', at],
    ['2026-08-24T10:00:00.123Z', at],
    ['2026-08-24T12:00:00.123+02:00', at],
    ['2026-08-24T05:30:00.123-0430', at],
    ['2026-08-24T15:45:00.123+0545', at],
    ['2026-08-24T10:00:00+0000', at - 123],
  ])('%s is read to the millisecond', (text, ms) => {
    expect(parseAriEvent({ ...common, type: 'ApplicationReplaced', timestamp: text })).toEqual({
      type: 'applicationReplaced',
      at: ms,
    });
  });

  test.each(['', 'yesterday', '2026-13-45T10:00:00.000+0000', 1_756_029_600, null, undefined])(
    'is never guessed: %j is refused',
    (value) => {
      expect(() => parseAriEvent({ ...common, type: 'ApplicationReplaced', timestamp: value })).toThrow();
    },
  );
});

describe('an event that is not as documented', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'StasisStart'],
    ['a list', []],
    ['no type', {}],
    ['a type that is a number', { type: 7 }],
    ['an arrival without arguments', { ...common, type: 'StasisStart', channel: channel() }],
    ['arguments that are no texts', { ...common, type: 'StasisStart', args: [1], channel: channel() }],
    ['a channel without an id', { ...common, type: 'StasisEnd', channel: channel({ id: '' }) }],
    ['a channel that is a list', { ...common, type: 'StasisEnd', channel: [] }],
    ['a cause in words', { ...common, type: 'ChannelDestroyed', cause: 'busy', channel: channel() }],
    ['a key that is none', { ...common, type: 'ChannelDtmfReceived', digit: 9, channel: channel() }],
    ['a bridge without an id', { ...common, type: 'ChannelEnteredBridge', bridge: {}, channel: channel() }],
    ['a playback without a state', { ...common, type: 'PlaybackFinished', playback: { id: 'x' } }],
    ['a recorder without a name', { ...common, type: 'RecordingStarted', recording: {} }],
    ['dialling of nobody', { ...common, type: 'Dial', dialstatus: 'ANSWER' }],
    [
      'a number that is a list',
      { ...common, type: 'StasisStart', args: [], channel: channel({ caller: { number: [] } }) },
    ],
  ])('is refused: %s', (_, event) => {
    expect(() => parseAriEvent(event)).toThrow();
  });
});

test.each([
  ['is that at which the other worker was asked', String(at - 2_000), at - 2_000],
  ['is no later than it comes', String(at + 1), at],
  ['is a minute before at the earliest', String(at - 60_001), at],
  ['is that at which it comes where it names none', 'preavis-b', at],
])('the time of what was passed on %s', (_, passedOn, wanted) => {
  const userevent = { eventname: 'preavisPause', call: 'one', passedOn };
  expect(parseAriEvent({ ...common, type: 'ChannelUserevent', eventname: 'preavisPause', userevent })).toMatchObject({
    at: wanted,
    isPassedOn: true,
  });
});
