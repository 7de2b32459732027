import { parseArguments } from '../../../src/call/plan/arguments.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { makePolicy } from '../../../src/policy/policy.ts';
import { makePromptLibrary } from '../../../src/prompts/library.ts';
import { aPurpose, noticeLibrary, purposesConfig } from '../../support/policy/purposes.ts';

const purposes = {
  training: aPurpose(),
  mifid: aPurpose({
    jurisdiction: 'EU',
    kind: 'obligation',
    consent: 'announce',
    keepDays: 1827,
    legalBasis: 'GDPR art. 6(1)(c)',
  }),
  agreement: aPurpose({ kind: 'evidence', consent: 'announce' }),
};
const policy = makePolicy(
  parseConfig(purposesConfig(purposes, { default: ['training'], orders: ['mifid'] })),
  noticeLibrary(Object.keys(purposes)),
);

test('the dialplan cannot join what the law demands with what the caller may refuse', () => {
  expect(parseArguments(['to=PJSIP/100', 'purpose=mifid+training'], policy)).toEqual({
    ok: false,
    argument: 'purpose',
    problem: 'joins a purpose that the law demands with one that the caller may refuse',
  });
});

test.each(['mifid', 'training+agreement', 'mifid+agreement'])('the dialplan may ask for %s', (purpose) => {
  expect(parseArguments(['to=PJSIP/100', `purpose=${purpose}`], policy)).toMatchObject({
    ok: true,
    request: { purposes: purpose.split('+') },
  });
});

test('a dialplan cannot join purposes so that a sentence claims a recording that the caller may refuse', () => {
  const purposes = {
    agreement: aPurpose({ kind: 'evidence', consent: 'announce' }),
    training: aPurpose({ consent: 'optOut' }),
  };
  const library = makePromptLibrary(
    ['fr', 'nl'],
    [...noticeLibrary(['training']).prompts, ...noticeLibrary(['agreement'], 'is').prompts],
  );
  const policy = makePolicy(
    parseConfig(purposesConfig(purposes, { default: ['agreement'], coaching: ['training'] })),
    library,
  );
  const parsed = (purpose: string) => parseArguments(['to=PJSIP/100', `purpose=${purpose}`], policy);
  expect(parsed('agreement+training')).toEqual({
    ok: false,
    argument: 'purpose',
    problem: expect.stringMatching(
      /^joins purposes whose notice is not true: prompt notice-agreement \(fr\)/,
    ) as string,
  });
  expect(parsed('agreement').ok).toBe(true);
  expect(parsed('training').ok).toBe(true);
});
