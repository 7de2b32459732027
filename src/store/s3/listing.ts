/** What the client's listings leave to be done. */
import type { Client } from 'minio';
import { PreavisError } from '../../core/errors.ts';

const pageSize = 1_000;

/** Every version and delete marker under exactly this name. */
export async function listVersions(client: Client, bucket: string, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of pagesOfVersions(client, bucket, name)) {
    const own = page.filter((object) => object.name === name);
    for (const object of own) found.push(versionIdOf(object));
    // The key itself comes before every longer one: a page that holds another key is the last that matters.
    if (own.length < page.length) break;
  }

  return found;
}

/** The names that begin with this prefix, also those of which only earlier versions or delete markers are left. */
export async function listNames(client: Client, bucket: string, prefix: string): Promise<string[]> {
  const names = new Set<string>();
  for await (const page of pagesOfVersions(client, bucket, prefix)) for (const { name } of page) names.add(name);

  return [...names];
}

async function* pagesOfVersions(
  client: Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<{ name: string; versionId?: unknown }[]> {
  let [keyMarker, versionIdMarker] = ['', ''];
  for (;;) {
    const page = await client.listObjectsQuery(bucket, prefix, '', {
      Delimiter: '',
      MaxKeys: pageSize,
      IncludeVersion: true,
      keyMarker,
      versionIdMarker,
    });
    const found = page.objects.map((object) => ({ ...object, name: object.name ?? '' }));
    yield found;
    if (!page.isTruncated) return;
    // The client gives versions first and delete markers after them: the last in the order of names need not be the last here.
    const lastName = encodeURIComponent(found.reduce((last, { name }) => (name > last ? name : last), ''));
    const lastVersion = encodeURIComponent(page.versionIdMarker ?? '');
    if (lastVersion === '' || (lastName === keyMarker && lastVersion === versionIdMarker)) {
      throw new PreavisError('archive_failed', 'The object store lists without an end.');
    }
    [keyMarker, versionIdMarker] = [lastName, lastVersion];
  }
}

/** The client's types do not know the field that its listing of versions has. */
export function versionIdOf(object: object): string {
  return 'versionId' in object && typeof object.versionId === 'string' ? object.versionId : 'null';
}

/** For a request about one version, or about the newest for null. */
export function versionOf(versionId: string | null): { versionId?: string } {
  return versionId === null ? {} : { versionId };
}

/** The client reads a key of digits only as a number when it lists uploads; the upload's id decides anyway. */
export function isSameKey(listed: unknown, name: string): boolean {
  return typeof listed === 'number' ? listed === Number(name) : listed === name;
}
