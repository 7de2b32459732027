import { ulid } from 'ulid';
import { whyNotRecordable } from '../../../src/call/decide/recordable.ts';
import type { In } from '../../../src/call/decide/state.ts';
import { decide } from '../../../src/call/decide/decide.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { clockAt } from './catalogues.ts';
import { callStart } from '../call/calls.ts';
import { closure } from '../enumeration/closure.ts';
import { plainTimes } from '../enumeration/events.ts';
import { factsWith, type CallShape } from '../enumeration/oracle.ts';
import type { TestDatabase } from './databases.ts';

/** The rule of what may be recorded, asked of the rows of a call as of its state: both must say the same, in every state that ends one.
 *
 * @param every without it, of calls of the commonest form alone: it takes long
 */
export function recordableContract(newDatabase: () => TestDatabase, every: boolean): void {
  const ids = makeIds(() => ulid());

  /** The same end, of a call of its own. */
  function another(state: In<'ended'>): In<'ended'> | undefined {
    const { order } = state.facts;
    if (order === undefined) return undefined;

    // The catalogue takes one and the same list of sentences for one that it has.
    return {
      ...state,
      played: [...state.played],
      facts: { ...state.facts, id: ids.call(), order: { ...order, recording: ids.recording() } },
    };
  }

  const common: [string, CallShape, number][] = [
    ['announce', { sentenceCount: 2 }, 100],
    ['a lot that left it out', { sampled: false, sentenceCount: 1 }, 10],
  ];
  const others: [string, CallShape, number][] = [
    ['optOut', { mode: 'optOut', sentenceCount: 1 }, 100],
    ['optIn', { mode: 'optIn', sentenceCount: 1 }, 100],
  ];
  test.each([...common, ...(every ? others : [])])(
    'a WAV without a row is kept or not by the same rule as in the call: %s',
    async (_, shape, least) => {
      const catalogue = await newDatabase().connect(clockAt(callStart));
      const found: Record<string, number> = {};
      let compared = 0;
      for (const each of closure(decide, factsWith(shape), plainTimes).endings) {
        const state = another(each);
        if (state?.facts.order === undefined) continue;
        await catalogue.journal.save(state);
        const { recording, script } = state.facts.order;
        if ((await catalogue.recordings.ofCall(state.facts.id)) !== undefined) continue;
        const row = await catalogue.recordings.adopt(recording);
        const why = whyNotRecordable({
          verdicts: state.played.map(({ verdict }) => verdict),
          mode: script.consent.mode,
          answer: state.answer.kind,
          reason: state.outcome.result === 'unrecorded' ? state.outcome.reason : null,
        });
        expect([row?.status, row?.failure]).toEqual(why === undefined ? ['recording', null] : ['discarded', why]);
        found[why ?? 'kept'] = (found[why ?? 'kept'] ?? 0) + 1;
        compared += 1;
      }
      expect(compared).toBeGreaterThanOrEqual(least);
      expect('kept' in found).toBe(shape.sampled !== false);
      expect(Object.keys(found).length).toBeGreaterThan(1);
    },
  );
}
