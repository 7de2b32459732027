import { PreavisError } from '../../../src/core/errors.ts';
import { tellDialplan } from '../../../src/serve/dialplanGlobals.ts';
import { scriptedAri } from '../../support/ari/scriptedAri.ts';
import { aPolicy } from '../../support/policy/policies.ts';
import { collectingLog } from '../../support/logLines.ts';

const policy = { ...aPolicy(), neverRecorded: { number: '^(112)$', dialled: '^x$' } };
const turnedAway = 'setGlobal PREAVIS_TURNED_AWAY fr/preavis/turnedAway-fr&nl/preavis/turnedAway-nl';

test('the dialplan has what callers hear who are turned away, and the rules of who is never recorded: none where there is none', async () => {
  const ari = scriptedAri();
  const { log } = collectingLog('info');
  await tellDialplan({ policy, ari, pbx: undefined, workers: undefined, log });
  const nobody = { ...policy, neverRecorded: { number: undefined, dialled: undefined } };
  await tellDialplan({ policy: nobody, ari, pbx: undefined, workers: undefined, log });
  expect(ari.asked).toEqual([
    'setGlobal PREAVIS_NEVER_NUMBER ^(112)$',
    'setGlobal PREAVIS_NEVER_DIALLED ^x$',
    'setGlobal PREAVIS_PBX ',
    turnedAway,
    'setGlobal PREAVIS_WORKERS ',
    'setGlobal PREAVIS_CLAIMS ',
    'setGlobal PREAVIS_NEVER_NUMBER ',
    'setGlobal PREAVIS_NEVER_DIALLED ',
    'setGlobal PREAVIS_PBX ',
    turnedAway,
    'setGlobal PREAVIS_WORKERS ',
    'setGlobal PREAVIS_CLAIMS ',
  ]);
});

test('an Asterisk that refuses them is asked by each call instead, and one that is not there is asked again', async () => {
  const ari = scriptedAri();
  const { log, lines } = collectingLog('info');
  ari.refuse('setGlobal', 'ari_request_failed');
  await tellDialplan({ policy, ari, pbx: undefined, workers: undefined, log });
  expect(lines).toMatchObject([{ code: 'ari_request_failed', msg: 'dialplan globals not set' }]);
  ari.refuse('setGlobal', 'ari_unreachable');
  await expect(tellDialplan({ policy, ari, pbx: undefined, workers: undefined, log })).rejects.toBeInstanceOf(
    PreavisError,
  );
});

test('two workers are named, and offered callers only where Asterisk can offer them: without, the dialplan would lose them', async () => {
  const workers = { own: 'preavis-b', peer: 'preavis-a' };
  for (const missing of [undefined, 'app_stasis_broadcast.so', 'func_uri.so']) {
    const ari = { ...scriptedAri(), hasModule: (name: string) => Promise.resolve(name !== missing) };
    await tellDialplan({ policy, ari, pbx: 'north', workers, log: collectingLog('info').log });
    expect(ari.asked).toContain('setGlobal PREAVIS_PBX north');
    expect(ari.asked.slice(-2)).toEqual([
      'setGlobal PREAVIS_WORKERS preavis-a&preavis-b',
      `setGlobal PREAVIS_CLAIMS ${missing === undefined ? '^(preavis-a|preavis-b)$' : ''}`,
    ]);
  }
});
