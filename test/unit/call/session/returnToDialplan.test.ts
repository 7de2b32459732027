import { returnToDialplan } from '../../../../src/call/session/returnToDialplan.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const caller = 'caller-1' as ChannelId;

async function told(
  outcome: Parameters<typeof returnToDialplan>[0]['outcome'],
  turnedAway?: string[],
): Promise<string[]> {
  const ari = scriptedAri();
  const common = { ari, channel: caller, playing: undefined, isFollowed: true, callerLeft: () => false };
  await returnToDialplan({ ...common, outcome, turnedAway });

  return ari.asked;
}

test('a caller who is turned away goes back with what they are to hear, and why', async () => {
  const outcome = { result: 'unrecorded', reason: 'spool_full', turnedAway: true } as const;
  expect(await told(outcome, ['fr/a', 'nl/b'])).toEqual([
    'setVariable caller-1 PREAVIS_RESULT turnedAway',
    'setVariable caller-1 PREAVIS_TURNED_AWAY fr/a&nl/b',
    'setVariable caller-1 PREAVIS_TOLD no',
    'setVariable caller-1 PREAVIS_REASON spool_full',
    'continueInDialplan caller-1',
  ]);
  // What Asterisk has for a caller of whom nothing is known stays.
  expect(await told(outcome)).not.toContainEqual(expect.stringContaining('PREAVIS_TURNED_AWAY'));
});

test('a caller who goes on unrecorded is told nothing of it', async () => {
  expect(await told({ result: 'unrecorded', reason: 'spool_full' }, ['fr/a'])).toEqual([
    'setVariable caller-1 PREAVIS_RESULT unrecorded',
    'setVariable caller-1 PREAVIS_TOLD no',
    'setVariable caller-1 PREAVIS_REASON spool_full',
    'continueInDialplan caller-1',
  ]);
});
