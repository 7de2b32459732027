/** The checker of the enumeration is checked: it finds each of these broken rules about keys, choices and calls that are left out. */
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import { keys } from '../../../support/call/calls.ts';
import { changed, deafTo, foundIn, without, type Mutation } from '../../../support/enumeration/mutations.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';

const playFails: CallEvent = { type: 'stepFailed', step: 'play' };

const mutations: Mutation[] = [
  {
    what: 'counts a yes before the question',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && event.type === 'digit' && event.digit === keys.accept
        ? { state: { ...state, answer: { kind: 'accepted', digits: event.digit, at: event.at } }, effects: [] }
        : decide(state, event),
  },
  {
    what: 'takes silence as a yes',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({
      event: (state, event) =>
        state.kind === 'asking' && event.type === 'timeUp' ? { type: 'digit', digit: keys.accept, at: 0 } : event,
    }),
  },
  {
    what: 'takes any key as a yes',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({
      event: (state, event) =>
        state.kind === 'asking' && event.type === 'digit' && event.digit === '5'
          ? { ...event, digit: keys.accept }
          : event,
    }),
  },
  {
    what: 'passes over a refusal before its sentence',
    finds: 'dialled after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && event.type === 'digit' && state.current.prompt.kind !== 'optOut'
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'passes over a refusal while it dials',
    finds: 'recorder after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('dialling', 'digit'),
  },
  {
    what: 'passes over a refusal that was meant for before the answer',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) => decide(state.kind === 'talking' ? { ...state, answeredAt: undefined } : state, event),
  },
  {
    what: 'forgets at the answer which keys came before it',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) => decide(state.kind === 'dialling' ? { ...state, typed: '' } : state, event),
  },
  {
    what: 'passes over a refusal after a yes',
    finds: 'recorder after a refusal',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('dialling', 'digit'),
  },
  {
    what: 'answers a refusal to a caller who is still in the bridge',
    finds: 'plays to who is still in the bridge',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({ step: (_, step) => without(step, 'leaveBridge') }),
  },
  {
    what: 'takes a caller who refused out of a bridge that it has destroyed',
    finds: 'plays to who is still in the bridge',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (_, step) => {
        const leaving = step.effects.filter(({ type }) => type === 'leaveBridge');
        const others = step.effects.filter(({ type }) => type !== 'leaveBridge');
        const at = others.findIndex(({ type }) => type === 'destroyBridge') + 1;
        return { ...step, effects: [...others.slice(0, at), ...leaving, ...others.slice(at)] };
      },
    }),
  },
  {
    what: 'passes over a refusal while languages are offered',
    finds: 'dialled after a refusal',
    of: { mode: 'optOut', sentenceCount: 1, asksLanguage: true },
    rule: (state, event) =>
      state.kind === 'choosing' && event.type === 'digit' && event.digit === keys.refuse
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'records a caller whose keys were missed while it dialled',
    finds: 'recorder with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('dialling', 'eventsMissed'),
  },
  {
    what: 'records a caller who may have taken back a yes unheard',
    finds: 'recorder with keys that nobody saw',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('dialling', 'eventsMissed'),
  },
  {
    what: 'goes on with a notice in which keys were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('announcing', 'eventsMissed'),
  },
  {
    what: 'goes on without a word after a yes',
    finds: 'a yes is not told',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({ step: (_, step) => (step.state.kind === 'accepting' ? decide(step.state, playFails) : step) }),
  },
  {
    what: 'goes on without a word after silence',
    finds: 'silence is not told',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({
      step: (state, step) =>
        state.kind === 'asking' && step.state.kind === 'acknowledging' ? decide(step.state, playFails) : step,
    }),
  },
  {
    what: 'takes a question that failed for heard',
    finds: 'dialled without a heard notice',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      event: (_, event) => (event.type === 'playbackFinished' ? { ...event, outcome: 'done' } : event),
    }),
  },
  {
    what: 'passes over a refusal while it confirms the yes',
    finds: 'dialled after a refusal',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('accepting', 'digit'),
  },
  {
    what: 'passes over keys that were missed while it confirms the yes',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('accepting', 'eventsMissed'),
  },
  {
    what: 'takes a yes after keys that were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('asking', 'eventsMissed'),
  },
  {
    what: 'forgets while languages are offered that keys were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1, asksLanguage: true },
    rule: deafTo('choosing', 'eventsMissed'),
  },
  {
    what: 'does not serve who refused',
    finds: 'the caller is left in silence',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (state, step) => (state.kind === 'acknowledging' ? without(step, 'returnToDialplan') : step),
    }),
  },
  {
    what: 'only stops the recorder at the feature code',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: step.effects.map((effect) =>
          effect.type === 'discardRecorder' ? { ...effect, type: 'stopRecorder' } : effect,
        ),
      }),
    }),
  },
  {
    what: 'ends the talk at the feature code',
    finds: 'a refusal ends the talk',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (state, step) =>
        step.effects.some((effect) => effect.type === 'discardRecorder')
          ? decide(state, { type: 'bridgeGone', alone: ['caller', 'destination'] })
          : step,
    }),
  },
  {
    what: 'lets a recorder run that starts after a refusal',
    finds: 'a recorder runs after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'talking' && state.recorder.kind === 'discarded' && event.type === 'recorderStarted'
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'hears the feature code where nobody may refuse',
    finds: 'discards what nobody refused',
    rule: (state, event) =>
      state.kind === 'talking' && event.type === 'digit'
        ? { state, effects: [{ type: 'discardRecorder', recording: factsWith({}).order.recording }] }
        : decide(state, event),
  },
  {
    what: 'records a call that is left out',
    finds: 'recorder for a call that is left out',
    of: { sampled: false, sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && state.facts.order !== undefined
        ? decide({ ...state, facts: { ...state.facts, order: { ...state.facts.order, sampled: true } } }, event)
        : decide(state, event),
  },
  {
    what: 'remembers a language that nobody chose',
    finds: 'remembers what nobody chose',
    of: { asksLanguage: true, sentenceCount: 1 },
    rule: changed({
      step: (state, step) =>
        state.kind === 'choosing' && step.state.kind === 'announcing'
          ? { ...step, effects: [...step.effects, { type: 'rememberLanguage', language: 'fr' }] }
          : step,
    }),
  },
];

describe('the checker finds a rule that', () => {
  test.each(mutations)('$what', (mutation) => {
    expect(foundIn(mutation)).toContain(mutation.finds);
  });
});
