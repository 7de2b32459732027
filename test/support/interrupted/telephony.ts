/** A test of the run that interruption.test.ts ends in its middle: a call on a rig, a mount and a temporary folder. */
import { writeFileSync } from 'node:fs';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { canMount } from '../rig/mounts.ts';
import { eventually } from '../poll.ts';
import { useRig } from '../rig/rigs.ts';
import { mountSmallDisk } from '../rig/smallDisk.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import { untilInterrupted } from './untilInterrupted.ts';

const temporary = temporaryFolder();
const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer' }));
  return { extensions: { '100': `${agent.dialString},20,language=fr` } };
});

it('is interrupted in the middle of a call', async () => {
  writeFileSync(temporary.path('file'), 'x');
  if (canMount) mountSmallDisk(at.rig.asterisk.spoolFolder, 20);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: '100' }));
  await eventually(() => call.isAnswered());
  await untilInterrupted('telephony');
});
