import { usedEventTypes } from '../../../src/ari/events.ts';

const timestamp = '2026-08-24T12:00:00.123+0200';
const channel = {
  id: '1756029600.12',
  state: 'Up',
  caller: { name: 'Jeanne', number: '+3225501234' },
  language: 'en',
};
const parts = {
  timestamp,
  channel,
  args: ['to=PJSIP/100', 'line=sales'],
  cause: 16,
  digit: '9',
  duration_ms: 120,
  eventname: 'preavisPause',
  userevent: { eventname: 'preavisPause', call: '01K3P8X7G2T8V5B6C7D8E9F0AB' },
  dialstatus: 'ANSWER',
  forward: '',
  peer: { id: 'preavis-3' },
  playback: { id: 'preavis-1', state: 'done' },
  recording: { name: 'preavis-1', cause: 'no space' },
  bridge: { id: 'preavis-2' },
  context: 'internal',
  exten: '700',
  result: 'Success',
};
const replaced = { replace_channel: { id: '1756029600.7' } };

/** An event of Asterisk of each type that Préavis uses, with the parts of all: more in them is never a fault. */
export const ariSamples: readonly Record<string, unknown>[] = usedEventTypes.map((type) => ({
  type,
  ...parts,
  // Whoever is replaced in a transfer is not parked.
  ...(type === 'BridgeBlindTransfer' ? {} : replaced),
}));
