import { chainStart, linkOf } from '../../../../src/core/crypto/hashChain.ts';
import { oldCatalogue, idOf, insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();

// What does not depend on SQLite stands in auditTrailContract.ts.
describe('the audit trail', () => {
  test('begins its chain behind the lines that an earlier release has left', async () => {
    const file = folder.path('old.db');
    const old = oldCatalogue(file, 7);
    insertPolicy(old, 'one', { training: 28, agreement: 395 });
    insertRecording(old, { number: 1, status: 'archived' });
    old.prepare(`INSERT INTO audit (at, recording_id, event, actor) VALUES (1, ?, 'archived', 'serve')`).run(idOf(1));
    old.close();
    const catalogue = open(file);
    await catalogue.auditTrail.append(idOf(1), { event: 'looked at', actor: 'serve' });
    const [before, after] = await catalogue.auditTrail.lines(0, Number.MAX_SAFE_INTEGER, 100);
    expect(before?.chain).toBeNull();
    expect(after?.chain).toBe(linkOf(chainStart, after?.digest ?? ''));
  });
});
