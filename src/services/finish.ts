import { longestCheckMs, type FinishPorts } from '../archive/finish/finish.ts';
import { readPresence } from '../archive/finish/presence.ts';
import { nobodyTells } from '../archive/finish/unwatchedSound.ts';
import { makePeakKeeper } from '../audio/peaks.ts';
import { checkRecording } from '../audio/selfCheck.ts';
import type { PromptLibrary } from '../prompts/library.ts';
import { makePlayedPrompts } from '../receipt/playedPrompts.ts';
import { makeWitnessPass, type WitnessPorts } from '../receipt/witnessPass.ts';
import { soundsFolder } from './prompts.ts';
import type { Services } from './services.ts';

/** What ended calls need: finishing their recordings, and the comparison with the second witness. */

type Own = Pick<FinishPorts, 'signal'> & Partial<Pick<FinishPorts, 'check' | 'found' | 'clockIsOff' | 'collected'>>;

/** Only serve collects recordings from another machine, and knows which of them is here as a whole. */
const nothingWhole: FinishPorts['collected'] = { isWhole: () => false };

/** Of its own, a command listens in its own thread, counts nothing, and finishes nothing of what serve collects. */
export function makeFinishPorts(services: Services, library: PromptLibrary, own: Own): FinishPorts {
  const { config, catalogue } = services;
  const { celFile, waitSeconds } = config.witness;

  return {
    ...services,
    promptsHeard: makePlayedPrompts(soundsFolder(config), library, catalogue),
    check: checkRecording,
    peaks: makePeakKeeper(config.privacy.numberKey),
    // By CEL, where it is configured.
    presence:
      celFile === undefined
        ? nobodyTells
        : { of: (intervals, window) => readPresence(celFile, intervals, window), waitMs: waitSeconds * 1_000 },
    found: () => undefined,
    checkMs: longestCheckMs,
    collected: config.recording.spool === 'collected' ? nothingWhole : undefined,
    ...own,
  };
}

/** One pass over the calls that were not yet compared with the second witness. */
export function makeWitness(services: Services, compared: WitnessPorts['compared']): () => Promise<void> {
  const { celFile, waitSeconds } = services.config.witness;

  return makeWitnessPass({ ...services, celFile, waitMs: waitSeconds * 1_000, compared });
}
