/** The shapes of the calls that are enumerated, and the states that each can be in. */
import type { CallState } from '../../../src/call/decide/state.ts';
import type { ConsentMode } from '../../../src/config/consent.ts';

export type Shape = { mode: ConsentMode; languages: readonly string[]; asksLanguage: boolean; sampled: boolean };

/** In one language and two, with and without a menu, recorded or left out. */
export function shapesOf(mode: ConsentMode): Shape[] {
  return [['fr'], ['fr', 'nl']].flatMap((languages) =>
    [false, true].flatMap((asksLanguage) =>
      [true, false].map((sampled) => ({ mode, languages, asksLanguage, sampled })),
    ),
  );
}

export function statesOf({ mode, asksLanguage, sampled }: Omit<Shape, 'languages'>): CallState['kind'][] {
  const states: CallState['kind'][] = ['announcing', 'answering', 'checking', 'ended', 'planning'];
  if (sampled) states.push('closing', 'confirming', 'dialling', 'talking');
  if (asksLanguage) states.push('choosing');
  if (mode !== 'announce') states.push('acknowledging');
  if (mode === 'optIn' && sampled) states.push('accepting', 'asking');

  return states.sort();
}
