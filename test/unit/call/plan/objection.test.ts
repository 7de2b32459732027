import { numberCalled, objectionTo, type Comer } from '../../../../src/call/plan/objection.ts';
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
    acme: { purposes: ['training'], defaultLanguages: ['fr'], staff: ['acme-*'] },
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

const outgoing = ['way=called', 'called=1.2', 'calledName=PJSIP/trunk-00000001'];

test('an emergency number behind the digit that leads out is known by what Dial() was given', () => {
  const dialled0112 = (dialString: string) => objection({ number: '0112' }, ...outgoing, `dialString=${dialString}`);
  expect(dialled0112('PJSIP/112@trunk')).toBe('never_recorded');
  expect(dialled0112('PJSIP/trunk/sip:112@carrier')).toBe('never_recorded');
  expect(dialled0112('DAHDI/g1/112')).toBe('never_recorded');
  expect(dialled0112('PJSIP/0112@trunk')).toBeUndefined();
});

test.each([
  // Of Liège, and none of Switzerland.
  ['PJSIP/042345678@trunk', '0042345678', '042345678'],
  ['PJSIP/+3242345678@trunk', '00032', '+3242345678'],
  ['PJSIP/trunk/sip:+3242345678@carrier', '0042345678', '+3242345678'],
  // What was dialled says more.
  ['PJSIP/98#042345678@trunk', '042345678', '042345678'],
  ['PJSIP/reception', '042345678', '042345678'],
  ['PJSIP/101@trunk', '101', '101'],
  ['nonsense', '042345678', '042345678'],
])('by %s, dialled as %s, the number %s is called', (dialString, extension, number) => {
  const numberOf = (...args: string[]): string => {
    const parsed = parseArguments(args, policy);
    if (!parsed.ok) throw new Error(`${parsed.argument} ${parsed.problem}`);

    return numberCalled(parsed, extension, policy);
  };
  expect(numberOf(...outgoing, `dialString=${dialString}`)).toBe(number);
  // The dialplan knows better.
  expect(numberOf(...outgoing, `dialString=${dialString}`, 'to=+3292345678')).toBe('+3292345678');
});

test('an outgoing call of who is known to be nobody of the house goes on untold, unless they were told in a call of their own', () => {
  const by = (name: string): string[] => ['way=called', 'called=1.2', 'by=1.1', `byName=${name}`];
  const forwarded = by('PJSIP/trunk-00000000');
  expect(objection({ number: '+3221234567' }, ...forwarded)).toBe('untold_party');
  expect(objection({ number: '+3221234567', isDiallerTold: true }, ...forwarded)).toBeUndefined();
  expect(objection({ number: '+3221234567' }, ...by('PJSIP/201-00000000'))).toBeUndefined();
  // A Local/ channel has no endpoint, and without a list of staff nobody is known to be none.
  expect(objection({ number: '+3221234567' }, ...by('Local/201@out-00000000;2'))).toBeUndefined();
  const nobodys = aPolicy(configTree());
  const parsed = parseArguments(forwarded, nobodys);
  if (!parsed.ok) throw new Error(parsed.problem);
  expect(objectionTo({ number: '+3221234567', endpoint: undefined }, parsed, nobodys, rules)).toBeUndefined();
});

test('a line with staff of its own knows nobody else as one of the house', () => {
  const ofAcme = { endpoint: 'acme-101' };
  expect(objection(ofAcme, 'to=PJSIP/acme-102', 'line=acme')).toBe('internal_call');
  // Of another company, or of the list of all.
  expect(objection({ endpoint: 'bakker-101' }, 'to=PJSIP/acme-102', 'line=acme')).toBeUndefined();
  expect(objection({ endpoint: '201' }, 'to=PJSIP/202', 'line=acme')).toBeUndefined();
  expect(objection(ofAcme, 'to=PJSIP/acme-102')).toBeUndefined();
  const calls = (dialler: string) =>
    objection({ number: '+3221234567' }, ...outgoing, 'by=1.1', `byName=PJSIP/${dialler}-00000000`, 'line=acme');
  expect(calls('acme-101')).toBeUndefined();
  expect(calls('bakker-101')).toBe('untold_party');
});
