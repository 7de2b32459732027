import fc from 'fast-check';
import { PreavisError } from '../../../src/core/errors.ts';
import { readDialplanShow } from '../../../src/dialplan/source/dialplanShow.ts';
import { lintText } from '../../support/dialplan/linting.ts';
import { tried } from '../../support/properties.ts';

/** Texts that nobody meant: lint comes to an end, and fails by no other than its own code. */

const pieces = fc.constantFrom(
  '[in]\n',
  '[macro-in]\n',
  '[t](!)\n',
  '[u](t)\n',
  '[in](+)\n',
  'exten => s,1,',
  'exten => _X.,n(a),',
  ' same => n,',
  'include => in\n',
  '#include "extensions.conf"\n',
  '#tryinclude "*"\n',
  'Goto(s,1)\n',
  'Goto(${EXTEN},a)\n',
  'GotoIf($[1]?a:in,_X.,1)\n',
  'Gosub(in,s,1(a,b))\n',
  'Macro(in)\n',
  'Return()\n',
  'WaitExten()\n',
  'ExecIf($[1]?ExecIf($[1]?ExecIf($[1]?MixMonitor(a))))\n',
  'Gosub(preavis,s,1(Local/s@in,30))\n',
  'Gosub(preavis-tell,s,1(line=${A}))\n',
  'Stasis(preavis,to=)\n',
  'Dial(Local/1@in&Local/s@in,,U(in)G(in^s^1)b(in^s^1(${A})))\n',
  'Queue(a,tT,,,,,in,in)\n',
  ';--',
  '--;',
  ';',
  '\\',
  '"',
  '(',
  ')',
  '[',
  '${',
  '}',
  '\n',
  ',',
  '?',
  ':',
  '\u0000',
  '\u2028',
);

test('any pieces of a dialplan are looked at, or refused by their code', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 9, arbitrary: pieces }, fc.string()), { maxLength: 60 }),
      async (parts) => {
        const text = `[in]\n${parts.join('')}`;
        const thrown = await lintText(text).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (thrown !== undefined) {
          expect(thrown).toBeInstanceOf(PreavisError);
          expect(thrown).toMatchObject({ code: 'dialplan_unreadable' });
        }
        readDialplanShow(text);
      },
    ),
    tried(300),
  );
});
