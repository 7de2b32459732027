import { answerOf, noAnswer, type Answer, type ConsentPlan } from '../../../../src/call/decide/answer.ts';

const refusal = { acknowledgement: [], erasure: [], featureCode: '*9' };
const announce: ConsentPlan = { mode: 'announce' };
const optOut: ConsentPlan = { mode: 'optOut', refuse: '9', refusal };
const optIn: ConsentPlan = {
  mode: 'optIn',
  accept: '1',
  refuse: '9',
  refusal,
  acceptance: [],
  silence: [],
  waitMs: 5_000,
};
const refused: Answer = { kind: 'refused', digits: '9', at: 7 };
const accepted: Answer = { kind: 'accepted', digits: '1', at: 7 };

describe('a key before they talk', () => {
  test.each<[string, ConsentPlan, string, boolean, Answer]>([
    ['means nothing where the caller is only told', announce, '9', true, noAnswer],
    ['refuses where it may', optOut, '9', true, refused],
    ['refuses before the sentence that offers it', optOut, '9', false, refused],
    ['that is another one changes nothing', optOut, '1', true, noAnswer],
    ['says yes when the question is heard', optIn, '1', true, accepted],
    ['says no yes before the question', optIn, '1', false, noAnswer],
    ['refuses before the question', optIn, '9', false, refused],
    ['refuses when the question is heard', optIn, '9', true, refused],
    ['that was not asked for is no answer', optIn, '5', true, noAnswer],
    ['is one key: the feature code is none', optIn, '*9', true, noAnswer],
    ['that is empty is no answer', optOut, '', true, noAnswer],
  ])('%s', (_, plan, digit, asked, answer) => {
    expect(answerOf(plan, digit, 7, asked)).toEqual(answer);
  });
});
