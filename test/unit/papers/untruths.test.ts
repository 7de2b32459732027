import { refuseUntruths, untruths } from '../../../src/papers/untruths.ts';
import { factsOf, paperController, paperPurpose } from '../../support/policy/papers.ts';

/** A paper that would not be true is not written, and the error names the key to set. */

test('a company that has said everything gets its papers', () => {
  expect(untruths(factsOf(), 'de')).toEqual([]);
});

test.each<[string, Parameters<typeof factsOf>[0], string]>([
  ['who is responsible', { more: { controller: { ...paperController, name: undefined } } }, 'set controller.name'],
  ['whom to ask', { more: { controller: { ...paperController, contact: undefined } } }, 'set controller.contact'],
  [
    'whether recordings leave the EEA',
    { more: { controller: { ...paperController, transfers: undefined } } },
    'set controller.transfers',
  ],
  [
    'who receives recordings',
    { purposes: { training: paperPurpose({ mayListen: [] }) } },
    'set purposes.training.mayListen, or recipients of the controller',
  ],
  [
    'what a purpose is called in this language',
    { purposes: { training: paperPurpose({ names: { fr: 'formation', nl: 'opleiding' } }) } },
    'set purposes.training.names.de',
  ],
  [
    'how consent is given, which is the basis',
    { purposes: { training: paperPurpose({ legalBasis: 'GDPR art. 6(1)(a)' }) } },
    'set purposes.training.consent to optIn',
  ],
  [
    'how who is called is told',
    { lines: { outbound: { calledParty: 'told' } } },
    'set lines.outbound.calledParty to untold',
  ],
  [
    'who runs the installation for the company',
    {
      more: { controllers: { acme: paperController } },
      lines: { default: { controller: 'acme' } },
      controller: 'acme',
    },
    'set processor.name',
  ],
])('a configuration that does not say %s is refused', (_what, tree, key) => {
  const faults = untruths(factsOf(tree), 'de');
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(key);
});

test('every fault is named once, whatever languages were asked for', () => {
  const facts = factsOf({ more: { controller: {} } });
  const refused = (): void => {
    refuseUntruths(facts, ['fr', 'de']);
  };
  expect(refused).toThrow(expect.objectContaining({ code: 'paper_untrue', exitCode: 2 }) as Error);
  expect(refused).toThrow(/^[^]*controller\.name[^]*controller\.contact[^]*controller\.transfers[^;]*$/);
});

test('consent beside another basis, or asked for, is no fault', () => {
  const both = paperPurpose({ legalBasis: 'GDPR art. 6(1)(a) and (f)' });
  const asked = paperPurpose({ legalBasis: 'GDPR art. 6(1)(a)', consent: 'optIn' });
  expect(untruths(factsOf({ purposes: { training: both, quality: asked } }), 'en')).toEqual([]);
});
