import { objectionTo, type Comer } from '../../../../src/call/plan/objection.ts';
import { parseArguments } from '../../../../src/call/plan/arguments.ts';
import { rulesOf } from '../../../../src/policy/neverRecorded.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { configTree } from '../../../support/call/calls.ts';

const policy = aPolicy({
  ...configTree(),
  lines: {
    default: { purposes: ['training'], defaultLanguages: ['fr'] },
    told: { purposes: ['training'], defaultLanguages: ['fr'], calledParty: 'told' },
    inside: { purposes: ['training'], defaultLanguages: ['fr'], internalCalls: 'record' },
  },
  staff: { extensions: ['_2XX'] },
});
const rules = rulesOf(policy.neverRecorded);

function objection(comer: Partial<Comer>, ...args: string[]): string | undefined {
  const parsed = parseArguments(args, policy);
  if (!parsed.ok) throw new Error(`${parsed.argument} ${parsed.problem}`);

  return objectionTo({ number: '', endpoint: 'trunk', ...comer }, parsed, policy, rules);
}

test('a call that is dialled to somebody outside goes on untold, unless the line says that they know', () => {
  expect(objection({}, 'to=PJSIP/+3221234567@trunk')).toBe('called_party_untold');
  expect(objection({}, 'to=PJSIP/+3221234567@trunk', 'line=told')).toBeUndefined();
  expect(objection({}, 'to=PJSIP/100')).toBeUndefined();
  expect(objection({}, 'to=Local/+3221234567@out')).toBeUndefined();
});

test('so does one that is followed, where the dialplan says that it dials a number outside', () => {
  expect(objection({}, 'way=follow', 'to=+3221234567')).toBe('called_party_untold');
  expect(objection({}, 'way=follow', 'to=021234567')).toBe('called_party_untold');
  expect(objection({}, 'way=follow', 'to=021234567', 'line=told')).toBeUndefined();
  expect(objection({}, 'way=follow', 'to=300')).toBeUndefined();
  expect(objection({}, 'way=follow')).toBeUndefined();
});

test('a call within the house goes on untold and unrecorded, unless the line wants it', () => {
  const employee = { endpoint: '201' };
  expect(objection(employee, 'to=PJSIP/202')).toBe('internal_call');
  expect(objection(employee, 'way=follow', 'to=202')).toBe('internal_call');
  expect(objection(employee, 'to=PJSIP/202', 'line=inside')).toBeUndefined();
  // Who is at the other end is not known, or not of the house.
  expect(objection(employee, 'to=Local/202@ring')).toBeUndefined();
  expect(objection(employee, 'way=follow')).toBeUndefined();
  expect(objection(employee, 'to=PJSIP/300')).toBeUndefined();
  expect(objection({}, 'to=PJSIP/202')).toBeUndefined();
  expect(objection({ endpoint: undefined }, 'to=PJSIP/202')).toBeUndefined();
});

test('an outgoing call is told to who was called, but for colleagues and numbers that are never recorded', () => {
  const called = ['way=called', 'called=1.2', 'by=1.1', 'byName=PJSIP/201-00000000'];
  expect(objection({ number: '+3221234567' }, ...called, 'calledName=PJSIP/trunk-00000001')).toBeUndefined();
  expect(objection({ number: '202' }, ...called, 'calledName=PJSIP/202-00000001', 'line=inside')).toBeUndefined();
  expect(objection({ number: '021234567' }, ...called, 'calledName=PJSIP/202-00000001')).toBe('internal_call');
  // As a number that is dialled out, unlike the extension of that number.
  expect(objection({ number: '101' }, ...called, 'calledName=PJSIP/trunk-00000001')).toBe('never_recorded');
  expect(objection({ number: '112' }, ...called, 'calledName=PJSIP/trunk-00000001')).toBe('never_recorded');
});
