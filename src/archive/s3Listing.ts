/** What the client's listings leave to be done. */
import type { Client } from 'minio';
import { PreavisError } from '../core/errors.ts';

const pageSize = 1_000;

/** Every version and delete marker under exactly this name. */
export async function listVersions(client: Client, bucket: string, name: string): Promise<string[]> {
  const found: string[] = [];
  let keyMarker = '';
  let versionIdMarker = '';
  for (;;) {
    const page = await client.listObjectsQuery(bucket, name, '', {
      Delimiter: '',
      MaxKeys: pageSize,
      IncludeVersion: true,
      keyMarker,
      versionIdMarker,
    });
    const own = page.objects.filter((object) => object.name === name);
    for (const object of own) found.push(versionIdOf(object));
    // The key itself comes before every longer one: a page that holds another key is the last that matters.
    if (!page.isTruncated || own.length < page.objects.length) return found;
    const next = encodeURIComponent(page.versionIdMarker ?? '');
    if (next === versionIdMarker) throw new PreavisError('archive_failed', 'The object store lists without an end.');
    keyMarker = encodeURIComponent(name);
    versionIdMarker = next;
  }
}

/** The client's types do not know the field that its listing of versions has. */
export function versionIdOf(object: object): string {
  return 'versionId' in object && typeof object.versionId === 'string' ? object.versionId : 'null';
}

/** The client reads a key of digits only as a number when it lists uploads; the upload's id decides anyway. */
export function isSameKey(listed: unknown, name: string): boolean {
  return typeof listed === 'number' ? listed === Number(name) : listed === name;
}
