/** The checker of the enumeration is checked: it finds each of these broken rules about who was told, and about what a call leaves behind. */
import { decide } from '../../../../src/call/decide/decide.ts';
import { changed, deafTo, foundIn, without, type Mutation } from '../../../support/enumeration/mutations.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';

const mutations: Mutation[] = [
  {
    what: 'takes a sentence that was cut short as heard',
    finds: 'dialled without a heard notice',
    rule: changed({
      event: (_, event) => (event.type === 'playbackFinished' ? { ...event, at: event.at + 1 } : event),
    }),
  },
  {
    what: 'takes a failed playback as heard',
    finds: 'dialled without a heard notice',
    rule: changed({ event: (_, event) => (event.type === 'playbackFinished' ? { ...event, outcome: 'done' } : event) }),
  },
  {
    what: 'takes the end of any playback as that of the sentence',
    finds: 'dialled without a heard notice',
    rule: changed({
      event: (state, event) =>
        event.type === 'playbackFinished' && state.kind === 'announcing'
          ? { ...event, playbackId: state.current.playbackId }
          : event,
    }),
  },
  {
    what: 'does without the start of a playback',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(
        state.kind === 'announcing' && event.type === 'playbackFinished'
          ? { ...state, currentStartedAt: state.currentStartedAt ?? 0 }
          : state,
        event,
      ),
  },
  {
    what: 'believes the earlier of two reported starts',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(
        state,
        state.kind === 'announcing' && event.type === 'playbackStarted'
          ? { ...event, at: Math.min(event.at, state.currentStartedAt ?? event.at) }
          : event,
      ),
  },
  {
    what: 'leaves the last sentence out',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(state.kind === 'announcing' && state.played.length === 0 ? { ...state, waiting: [] } : state, event),
  },
  {
    what: 'starts the recorder when it dials',
    finds: 'recorder before the destination answered',
    rule: changed({
      step: (state, step) =>
        state.kind === 'confirming' && step.state.kind === 'dialling'
          ? {
              ...step,
              effects: [
                ...step.effects,
                { type: 'startRecorder', order: factsWith({ sentenceCount: 2 }).order, told: step.state.told },
              ],
            }
          : step,
    }),
  },
  {
    what: 'starts the recorder again when the destination answers again',
    finds: 'recorder started twice',
    rule: (state, event) =>
      state.kind === 'talking' && event.type === 'destinationAnswered'
        ? {
            state,
            effects: [{ type: 'startRecorder', order: factsWith({ sentenceCount: 2 }).order, told: state.told }],
          }
        : decide(state, event),
  },
  {
    what: 'goes on when events were missed during the notice',
    finds: 'dialled without a heard notice',
    rule: (state, event) => (event.type === 'interrupted' ? { state, effects: [] } : decide(state, event)),
  },
  {
    what: 'does not hear that the caller left while the destination rings',
    finds: 'no exit by the caller',
    rule: (state, event) =>
      state.kind === 'dialling' && event.type === 'callerLeft' ? { state, effects: [] } : decide(state, event),
  },
  {
    what: 'does not hear that the dialplan has sent the caller on',
    finds: 'no exit by the caller',
    rule: (state, event) =>
      state.kind === 'announcing' && event.type === 'callerSentOn' ? { state, effects: [] } : decide(state, event),
  },
  {
    what: 'calls a caller abandoned whom the dialplan has sent on',
    finds: 'abandoned means that the caller left',
    rule: (state, event) =>
      event.type === 'callerSentOn' ? decide(state, { type: 'callerLeft', at: event.at }) : decide(state, event),
  },
  {
    what: 'leaves the destination ringing',
    finds: 'the destination is left',
    rule: changed({ step: (_, step) => without(step, 'hangUpDestination') }),
  },
  {
    what: 'leaves the bridge',
    finds: 'the bridge is left',
    rule: changed({ step: (state, step) => (state.kind === 'talking' ? without(step, 'destroyBridge') : step) }),
  },
  {
    what: 'keeps the caller when the notice failed',
    finds: 'the caller is left in silence',
    rule: changed({ step: (state, step) => (state.kind === 'announcing' ? without(step, 'returnToDialplan') : step) }),
  },
  {
    what: 'keeps the caller when the destination hung up',
    finds: 'the caller is left in silence',
    rule: changed({ step: (_, step) => without(step, 'hangUpCaller') }),
  },
  {
    what: 'sends the caller back twice',
    finds: 'sent back to the dialplan twice',
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: [...step.effects, ...step.effects.filter((effect) => effect.type === 'returnToDialplan')],
      }),
    }),
  },
  {
    what: 'dials before it saves',
    finds: 'dialled before it was saved',
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: step.effects.some((effect) => effect.type === 'dial') ? [...step.effects].reverse() : step.effects,
      }),
    }),
  },
  {
    what: 'leaves the recorder running',
    finds: 'the recorder is left',
    rule: changed({ step: (_, step) => without(step, 'stopRecorder') }),
  },
  {
    what: 'waits for ever for a playback',
    finds: 'no exit by the timer',
    rule: (state, event) => (event.type === 'timeUp' ? { state, effects: [] } : decide(state, event)),
  },
  {
    what: 'forgets to start a timer',
    finds: 'a state without its timer',
    rule: changed({ step: (_, step) => without(step, 'startTimer') }),
  },
  {
    what: 'reacts after the end',
    finds: 'ended is final',
    rule: (state, event) =>
      state.kind === 'ended' && event.type === 'destinationAnswered'
        ? { state, effects: [{ type: 'hangUpCaller' }] }
        : decide(state, event),
  },
  {
    what: 'passes over who joins the bridge during the notice',
    finds: 'dialled with somebody who was not told',
    rule: deafTo('announcing', 'thirdPartyJoined'),
  },
  {
    what: 'passes over who joins the talk',
    finds: 'a recorder runs with somebody who was not told',
    rule: deafTo('talking', 'thirdPartyJoined'),
  },
  {
    what: 'passes over a transfer',
    finds: 'a recorder runs with somebody who was not told',
    rule: deafTo('talking', 'partyReplaced'),
  },
  {
    what: 'records again what starts after a transfer',
    finds: 'a recorder runs with somebody who was not told',
    rule: changed({
      step: (state, step) =>
        state.kind === 'talking' && step.state.kind === 'talking' && step.state.facts !== state.facts
          ? { ...step, state: { ...step.state, untold: false } }
          : step,
    }),
  },
  {
    what: 'leaves who transferred the call',
    finds: 'who transferred the call is left',
    rule: changed({ step: (_, step) => without(step, 'hangUpReplaced') }),
  },
  {
    what: 'forgets to whom the call was transferred',
    finds: 'hangs up who is not in the call',
    rule: changed({
      step: (state, step) =>
        state.kind === 'talking' && step.state.kind === 'talking'
          ? { ...step, state: { ...step.state, facts: state.facts } }
          : step,
    }),
  },
  {
    what: 'does not ask whether the caller could hear the notice',
    finds: 'dialled without a heard notice',
    rule: changed({
      step: (_, step) => (step.state.kind === 'confirming' ? decide(step.state, { type: 'noticeConfirmed' }) : step),
    }),
  },
  {
    what: 'takes a notice as heard that the caller could not hear',
    finds: 'dialled without a heard notice',
    rule: changed({
      event: (_, event) => (event.type === 'noticeDenied' ? { type: 'noticeConfirmed' } : event),
    }),
  },
  {
    what: 'takes a sentence as heard in which a hold may have been missed',
    finds: 'dialled without a heard notice',
    rule: deafTo('announcing', 'eventsMissed'),
  },
  {
    what: 'ends the talk of others when the caller leaves',
    finds: 'a talk of others is ended',
    rule: (state, event) =>
      decide(state.kind === 'talking' && event.type === 'callerLeft' ? { ...state, others: [] } : state, event),
  },
  {
    what: 'ends the talk of others when the destination leaves',
    finds: 'a talk of others is ended',
    rule: (state, event) =>
      decide(state.kind === 'talking' && event.type === 'destinationLeft' ? { ...state, others: [] } : state, event),
  },
  {
    what: 'records who waits for the destination in the place of the caller',
    finds: 'recorder with somebody who was not told',
    rule: changed({
      step: (_, step) => (step.state.kind === 'dialling' ? { ...step, state: { ...step.state, untold: false } } : step),
    }),
  },
  { what: 'takes a sentence on hold as heard', finds: 'told on hold', rule: deafTo('announcing', 'callerHeld') },
  { what: 'announces to whom put it on hold before', finds: 'told on hold', rule: deafTo('answering', 'callerHeld') },
  {
    what: 'forgets that it was put on hold while languages were offered',
    finds: 'told on hold',
    of: { sentenceCount: 1, asksLanguage: true },
    rule: deafTo('choosing', 'callerHeld'),
  },
];

describe('the checker finds a rule that', () => {
  test.each(mutations)('$what', (mutation) => {
    expect(foundIn(mutation)).toContain(mutation.finds);
  });
});
