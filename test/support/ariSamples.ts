import { usedEventTypes } from '../../src/ari/events.ts';

const timestamp = '2026-08-24T12:00:00.123+0200';
const channel = {
  id: '1756029600.12',
  name: 'PJSIP/trunk-0000000a',
  state: 'Up',
  caller: { name: 'Jeanne', number: '+3225501234' },
  connected: { name: '', number: '' },
  language: 'en',
};
const parts = {
  timestamp,
  application: 'preavis',
  asterisk_id: '02:42:ac:11:00:02',
  channel,
  args: ['to=PJSIP/100', 'line=sales'],
  replace_channel: { ...channel, id: '1756029600.7' },
  cause: 16,
  digit: '9',
  dialstatus: 'ANSWER',
  forward: '',
  peer: { ...channel, id: 'preavis-3' },
  playback: { id: 'preavis-1', media_uri: 'sound:x', target_uri: 'channel:1', language: 'fr', state: 'done' },
  recording: { name: 'preavis-1', format: 'wav', state: 'failed', target_uri: 'bridge:preavis-2', cause: 'no space' },
  bridge: { id: 'preavis-2', technology: 'simple_bridge', bridge_type: 'mixing', channels: [] },
};

/** An event of Asterisk of each type that Préavis uses, with the parts of all: more in them is never a fault. */
export const ariSamples: readonly Record<string, unknown>[] = usedEventTypes.map((type) => ({ type, ...parts }));
