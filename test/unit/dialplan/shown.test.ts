import { lintDialplan } from '../../../src/dialplan/lint.ts';
import { readDialplanShow } from '../../../src/dialplan/source/dialplanShow.ts';
import { standardFeatures } from '../../../src/dialplan/source/features.ts';
import { inShort } from '../../support/dialplan/linting.ts';
import { aPolicy } from '../../support/policy/policies.ts';

/** A dialplan that Asterisk shows: it prints no label of the first step of an extension. */

/** What Asterisk prints for these contexts, each with its lines. */
const shownOf = (contexts: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(contexts)
    .map(([name, lines]) => `[ Context '${name}' created by 'pbx_config' ]\n${lines.join('\n')}\n`)
    .join('\n');

const found = (contexts: Readonly<Record<string, readonly string[]>>): string[] =>
  inShort(
    lintDialplan({
      dialplan: readDialplanShow(shownOf(contexts)),
      features: standardFeatures,
      policy: aPolicy(),
      application: 'preavis',
      refusesFunctions: true,
    }),
  );

describe('a label that Asterisk does not show', () => {
  test('is that of the first step, so a jump to it is no fault', () => {
    const toggle = [
      "  's' =>            1. Answer()      [e.conf:2]",
      '                    2. Hangup()      [e.conf:3]',
    ];
    const code = ["  '*21' =>          1. Goto(toggle,s,start)      [e.conf:1]"];
    expect(found({ codes: code, toggle })).toEqual([]);
  });

  test('leads to a recorder behind the first step', () => {
    const rec = [
      "  's' =>            1. NoOp()      [e.conf:2]",
      '                    2. MixMonitor(a)      [e.conf:3]',
    ];
    const code = ["  '100' =>          1. Goto(rec,s,start)      [e.conf:1]"];
    expect(found({ incoming: code, rec })).toEqual(['recorder-without-notice 3']);
  });

  test('hides no number that is missing', () => {
    const to = (priority: string): string[] =>
      found({
        incoming: [`  '100' =>          1. Goto(rec,s,${priority})      [e.conf:1]`],
        rec: ["  's' =>            1. NoOp()      [e.conf:2]", '     [end]          2. Hangup()      [e.conf:3]'],
      });
    expect(to('end')).toEqual([]);
    expect(to('7')).toEqual(['target-missing 1']);
  });
});
