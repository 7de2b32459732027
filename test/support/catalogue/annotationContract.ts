import type { RecordingId } from '../../../src/core/ids.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { callStart, countingIds } from '../call/calls.ts';
import { archivedRecording, clockAt, type SavedCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Tags, ratings, comments and collections, whatever database keeps them. */
export function annotationContract(newDatabase: () => TestDatabase): void {
  const ids = countingIds();
  const open = () => newDatabase().connect(clockAt(callStart));
  const note = (what: string) => ({ event: 'annotated', actor: 'user:anna', detail: { what } });
  const gone = { event: 'erased', actor: 'test' };
  const codeOf = (step: Promise<unknown>): Promise<unknown> =>
    step.then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof PreavisError ? thrown.code : thrown),
    );
  const whatOf = async ({ auditTrail }: Catalogue, id: RecordingId): Promise<unknown[]> =>
    (await auditTrail.of(id)).filter(({ event }) => event === 'annotated').map(({ detail }) => detail['what']);

  test('has one version for tags and rating: of several who change it at the same time one does, and the others are told', async () => {
    const { connect } = newDatabase();
    const all = await Promise.all([1, 2, 3].map(() => connect(clockAt(callStart))));
    const [catalogue = await open()] = all;
    const { id } = await archivedRecording(catalogue);
    const { annotations } = catalogue;
    expect(await annotations.of(id)).toEqual({ version: 0, tags: [], rating: null });
    const done = await Promise.all(
      all.map((each, index) =>
        codeOf(each.annotations.setTags(id, ['vip', `${index}`, 'Été', 'vip'], { version: 0, note: note('tags') })),
      ),
    );
    expect(done.toSorted()).toEqual(['version_conflict', 'version_conflict', undefined]);
    const tags = [`${done.indexOf(undefined)}`, 'vip', 'Été'];
    expect(await annotations.of(id)).toEqual({ version: 1, tags, rating: null });
    const rating = { criteria: [{ criterion: 'closing', value: 2, points: 3 }], score: 50, by: 'user:bert', at: 7 };
    const rated = { version: 2, tags, rating };
    expect(await annotations.rate(id, rating, { version: 1, note: note('rating') })).toEqual(rated);
    expect(await annotations.of(id)).toEqual(rated);
    expect(await annotations.rate(id, null, { version: 2, note: note('rating') })).toEqual({
      version: 3,
      tags,
      rating: null,
    });
    expect(await whatOf(catalogue, id)).toEqual(['tags', 'rating', 'rating']);
  });

  test('has comments in the order of their places, those about the whole first, each with a version of its own', async () => {
    const catalogue = await open();
    const { comments } = catalogue;
    const { id: recording } = await archivedRecording(catalogue);
    const { id: other } = await archivedRecording(catalogue);
    const add = (atMs: number | null, text: string) =>
      comments.add({ id: ids.comment(), recording, atMs, text, author: 'user:anna', writtenAt: 5 }, note('comment'));
    const late = await add(900, "It's ${late} \\ @late");
    await add(0, 'At once');
    await add(null, 'Of the whole');
    const texts = async () => (await comments.of(recording)).map(({ text }) => text);
    expect(await texts()).toEqual(['Of the whole', 'At once', "It's ${late} \\ @late"]);
    const given = { text: 'Better', atMs: null, changedAt: 9 };
    const changed = await comments.change(recording, late.id, given, { version: 1, note: note('comment') });
    expect(changed).toEqual({ ...late, ...given, version: 2 });
    expect(await texts()).toEqual(['Better', 'Of the whole', 'At once']);
    const seen = { version: 1, note: note('comment') };
    expect(await codeOf(comments.remove(recording, late.id, seen))).toBe('version_conflict');
    expect(await codeOf(comments.remove(other, late.id, { ...seen, version: 2 }))).toBe('comment_unknown');
    await comments.remove(recording, late.id, { ...seen, version: 2 });
    expect(await texts()).toEqual(['Of the whole', 'At once']);
    expect(await whatOf(catalogue, recording)).toEqual(Array(5).fill('comment'));
    expect(await whatOf(catalogue, other)).toEqual([]);
  });

  test('is in a collection in the order that people give it, which pages follow', async () => {
    const catalogue = await open();
    const { collections } = catalogue;
    const made: SavedCall[] = [];
    for (let count = 0; count < 3; count += 1) made.push(await archivedRecording(catalogue));
    const [one, two, three] = made.map(({ id }) => id);
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three');
    const callOf = (id: RecordingId) => made.find((each) => each.id === id)?.facts.id;
    const place = (recording: RecordingId, after?: string | null) =>
      collections.place({ recording, collection: 'exemplary', after, by: 'user:anna', at: 1 }, note('collection'));
    const listed = async () => (await collections.list('exemplary', undefined, 0, 9)).map(({ call }) => call);
    for (const id of [one, two, three]) await place(id);
    await place(three);
    expect(await whatOf(catalogue, three)).toEqual(['collection']);
    expect(await listed()).toEqual([one, two, three].map(callOf));
    await place(three, null);
    expect(await listed()).toEqual([three, one, two].map(callOf));
    // So often that no number is left between two neighbours.
    for (let move = 0; move < 30; move += 1) await place(move % 2 === 0 ? two : one, three);
    expect(await listed()).toEqual([three, one, two].map(callOf));
    const [first] = await collections.list('exemplary', undefined, 0, 1);
    const rest = await collections.list('exemplary', undefined, first?.position ?? 0, 9);
    expect(rest.map(({ call }) => call)).toEqual([one, two].map(callOf));
    expect(await codeOf(place(one, callOf(one)))).toBe('request_invalid');
    expect(await collections.of(one)).toEqual(['exemplary']);
    expect(await collections.take(one, 'exemplary', note('collection'))).toBe(true);
    expect(await collections.take(one, 'exemplary', note('collection'))).toBe(false);
    expect(await listed()).toEqual([three, two].map(callOf));
  });

  test('has no place in a collection that its own company has filled, and those of others have', async () => {
    const database = newDatabase();
    const catalogue = await database.connect(clockAt(callStart));
    const made: SavedCall[] = [];
    for (let count = 0; count < 3; count += 1) made.push(await archivedRecording(catalogue));
    const [acme, bolt, own] = made;
    if (acme === undefined || bolt === undefined || own === undefined) throw new Error('there are three');
    await database.execute(`
      UPDATE recordings SET controller = 'acme' WHERE id = '${acme.id}';
      UPDATE recordings SET controller = 'bolt' WHERE id = '${bolt.id}';
      INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, phase)
      WITH RECURSIVE filling (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM filling WHERE number < 5000)
      SELECT 'filling ' || number, 1, 'one', '22', 'node', 'ended' FROM filling;
      INSERT INTO recordings (id, call_id, status, notice_finished_at, keep_days, controller)
      SELECT id, id, 'archived', 1, 1, 'acme' FROM calls WHERE id LIKE 'filling %';
      INSERT INTO collected (recording_id, collection, call_id, controller, position, added_by, added_at)
      SELECT id, 'exemplary', call_id, 'acme', 1024 * row_number() OVER (ORDER BY id), 'user:anna', 0
      FROM recordings WHERE id LIKE 'filling %'`);
    const place = ({ id }: { id: RecordingId }) =>
      catalogue.collections.place(
        { recording: id, collection: 'exemplary', after: undefined, by: 'user:anna', at: 0 },
        note('collection'),
      );
    expect(await codeOf(place(acme))).toBe('request_too_large');
    await place(bolt);
    await place(own);
    const listed = async (companies: string[] | undefined) =>
      (await catalogue.collections.list('exemplary', companies, 0, 6_000)).map(({ call }) => call);
    expect(await listed(['bolt'])).toEqual([bolt.facts.id]);
    expect(await listed(['', 'bolt'])).toEqual([bolt.facts.id, own.facts.id]);
    expect(await listed(undefined)).toHaveLength(5_002);
  });

  test('goes with it, and nothing is written about it once its erasure has begun', async () => {
    const catalogue = await open();
    const { annotations, comments, collections } = catalogue;
    const { id: recording } = await archivedRecording(catalogue);
    const comment = () => ({ id: ids.comment(), recording, atMs: null, text: 'Of Jane', author: 'a', writtenAt: 1 });
    const placing = { recording, collection: 'exemplary', after: undefined, by: 'a', at: 1 };
    await annotations.setTags(recording, ['vip'], { version: 0, note: note('tags') });
    await comments.add(comment(), note('comment'));
    await collections.place(placing, note('collection'));
    await catalogue.recordings.move(recording, 'archived', 'erased', {}, gone);
    expect([await annotations.of(recording), await comments.of(recording), await collections.of(recording)]).toEqual([
      { version: 0, tags: [], rating: null },
      [],
      [],
    ]);
    expect(await codeOf(comments.add(comment(), note('comment')))).toBe('recording_gone');
    expect(await codeOf(annotations.rate(recording, null, { version: 0, note: note('rating') }))).toBe(
      'recording_gone',
    );
    expect(await codeOf(collections.place(placing, note('collection')))).toBe('recording_gone');
    const unknown = { ...comment(), recording: ids.recording() };
    expect(await codeOf(comments.add(unknown, note('comment')))).toBe('recording_unknown');
  });
}
