import { chainStart, linkOf } from '../../../../src/core/crypto/hashChain.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { oldCatalogue, idOf, insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { catalogues, saveCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();

describe('the audit trail', () => {
  test('is one chain over all recordings: each link is made of the one before it and of its line', async () => {
    const catalogue = open(folder.path('chain.db'));
    const [one, two] = [await saveCall(catalogue), await saveCall(catalogue)];
    await catalogue.auditTrail.append(one.id, { event: 'looked at', actor: 'user é', detail: { why: 'ünïcode' } });
    await catalogue.recordings.move(
      two.id,
      'recording',
      'failed',
      { failure: 'wav_invalid' },
      { event: 'finished', actor: 'serve' },
    );
    const lines = await catalogue.auditTrail.lines(0, Number.MAX_SAFE_INTEGER, 100);
    expect(lines.length).toBeGreaterThanOrEqual(4);
    let before = chainStart;
    for (const { digest, chain } of lines) {
      expect(chain).toBe(linkOf(before, digest));
      before = chain ?? '';
    }
    expect(await catalogue.auditTrail.head()).toEqual({ id: lines.at(-1)?.id, chain: before });
  });

  test('has lines that are written together in their order, each with its link, and none of them where one cannot be', async () => {
    const catalogue = open(folder.path('together.db'));
    const { id } = await saveCall(catalogue);
    const line = (event: string) => ({ recording: id, note: { event, actor: 'user:coach' } });
    await catalogue.auditTrail.appendAll(['one', 'two', 'three'].map(line));
    const nobody = { ...line('four'), recording: idOf(9) };
    await expect(catalogue.auditTrail.appendAll([line('lost'), nobody])).rejects.toThrow();
    expect((await catalogue.auditTrail.of(id)).map(({ event }) => event).slice(-3)).toEqual(['one', 'two', 'three']);
    let before = chainStart;
    for (const { digest, chain } of await catalogue.auditTrail.lines(0, Number.MAX_SAFE_INTEGER, 100)) {
      expect(chain).toBe(linkOf(before, digest));
      before = chain ?? '';
    }
  });

  test('shows a line that was changed behind its back, and one that was taken out', async () => {
    const file = folder.path('altered.db');
    const catalogue = open(file);
    const { id } = await saveCall(catalogue);
    for (const event of ['one', 'two', 'three']) await catalogue.auditTrail.append(id, { event, actor: 'serve' });
    const broken = async (sql: string): Promise<number> => {
      const database = openSqlite(file);
      database.exec(
        `DROP TRIGGER IF EXISTS audit_is_append_only_1; DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`,
      );
      database.close();
      let before = chainStart;
      const lines = await catalogue.auditTrail.lines(0, Number.MAX_SAFE_INTEGER, 100);
      return lines.filter(({ digest, chain }) => {
        const fits = chain === linkOf(before, digest);
        before = chain ?? '';
        return !fits;
      }).length;
    };
    expect(await broken('')).toBe(0);
    expect(await broken(`UPDATE audit SET actor = 'nobody' WHERE event = 'two'`)).toBe(1);
    expect(await broken(`UPDATE audit SET actor = 'serve' WHERE event = 'two'`)).toBe(0);
    expect(await broken(`DELETE FROM audit WHERE event = 'two'`)).toBe(1);
  });

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
