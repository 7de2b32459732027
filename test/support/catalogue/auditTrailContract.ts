import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { chainStart, linkOf } from '../../../src/core/crypto/hashChain.ts';
import { lineFaults } from '../../../src/retention/certificates/verifyTrail.ts';
import { callStart } from '../call/calls.ts';
import { idOf } from './catalogueRows.ts';
import { archivedRecording, clockAt, saveCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** What is wrong with its lines, each with its recording. */
export async function faultsOf(catalogue: Catalogue): Promise<string[]> {
  const faults: string[] = [];
  for await (const { recording, fault } of lineFaults(catalogue, new AbortController().signal)) {
    faults.push(`${recording}: ${fault}`);
  }

  return faults;
}

const search = { event: 'searched by number', actor: 'user:anna', detail: { found: 2 } };

/** The audit trail, whatever database keeps it. */
export function auditTrailContract(newDatabase: () => TestDatabase): void {
  const open = () => newDatabase().connect(clockAt(callStart));

  test('is one chain over all recordings: each link is made of the one before it and of its line', async () => {
    const catalogue = await open();
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
    const catalogue = await open();
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
    const database = newDatabase();
    const catalogue = await database.connect(clockAt(callStart));
    const { id } = await saveCall(catalogue);
    for (const event of ['one', 'two', 'three']) await catalogue.auditTrail.append(id, { event, actor: 'serve' });
    const broken = async (sql: string): Promise<number> => {
      await database.tamper(sql);
      let before = chainStart;
      const lines = await catalogue.auditTrail.lines(0, Number.MAX_SAFE_INTEGER, 100);
      return lines.filter(({ digest, chain }) => {
        const fits = chain === linkOf(before, digest);
        before = chain ?? '';
        return !fits;
      }).length;
    };
    expect(await broken('SELECT 1')).toBe(0);
    expect(await broken(`UPDATE audit SET actor = 'nobody' WHERE event = 'two'`)).toBe(1);
    expect(await broken(`UPDATE audit SET actor = 'serve' WHERE event = 'two'`)).toBe(0);
    expect(await broken(`DELETE FROM audit WHERE event = 'two'`)).toBe(1);
  });

  test('has steps that are of no recording as links of the same chain, between those of recordings', async () => {
    const catalogue = await open();
    await catalogue.auditTrail.append(null, search);
    const { id } = await archivedRecording(catalogue);
    await catalogue.auditTrail.append(null, search);
    const lines = await catalogue.auditTrail.lines(1, 100, 100);
    expect(lines.map(({ recording }) => recording)).toEqual([null, id, id, id, null]);
    expect(await faultsOf(catalogue)).toEqual([]);
    expect(await catalogue.auditTrail.head()).toEqual({ id: 5, chain: lines.at(-1)?.chain });
    expect(await catalogue.auditTrail.withoutRow(10)).toEqual([]);
    expect(await catalogue.auditTrail.statusesOtherwise(10)).toEqual([]);
  });

  test('a step of a recording that does not exist is refused', async () => {
    const catalogue = await open();
    await expect(catalogue.auditTrail.append(idOf(9), search)).rejects.toMatchObject({ code: 'catalogue_unusable' });
    expect(await catalogue.auditTrail.head()).toBeUndefined();
  });
}
