import { refuseForeignRecorders } from '../../../../src/cli/check/deadman.ts';
import type { BridgeId } from '../../../../src/core/ids.ts';

const bridges = (...ids: string[]) => ({ foreignRecorders: () => Promise.resolve(ids as BridgeId[]) });

test('bridges of others in which something is recorded are counted, and not named: there may be a number in a name', async () => {
  const found = bridges('call-with-+3225550123', 'of-another');
  await expect(refuseForeignRecorders(found)).rejects.toMatchObject({
    code: 'recorders_foreign',
    message: 'bridges of other applications in which something is recorded, or announced: 2',
  });
  await refuseForeignRecorders(bridges());
});
