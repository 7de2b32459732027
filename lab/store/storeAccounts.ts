/**
 * Accounts of a lab's S3 server, over the gateway's own HTTP interface for administrators: its program `radosgw-admin`
 * costs a second of a processor each time.
 */
import { randomBytes } from 'node:crypto';
import { Client } from 'minio';

/** Where a server is, and the keys of one of its accounts. */
export type StoreAddress = {
  readonly endPoint: string;
  readonly port: number;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
};

export type BucketOptions = { versioning?: boolean; objectLock?: boolean };

export type StoreAccount = StoreAddress & {
  makeBucket(name: string, options?: BucketOptions): Promise<void>;
  /** The bucket takes so many objects, -1 for any number. */
  limitBucket(name: string, objects: number): Promise<void>;
};

/** What an account needs to be given to make others and to limit buckets. */
export const administration = '--caps=users=*;buckets=*';

export const newKeys = (): Pick<StoreAddress, 'accessKey' | 'secretKey'> => ({
  accessKey: `LAB${randomBytes(8).toString('hex').toUpperCase()}`,
  secretKey: randomBytes(20).toString('hex'),
});

async function administer(admin: StoreAddress, what: 'user' | 'bucket', query: Record<string, string>): Promise<void> {
  const { region } = admin;
  const request = {
    method: 'PUT',
    bucketName: 'admin',
    objectName: what,
    query: new URLSearchParams(query).toString(),
  };
  await new Client({ ...admin, useSSL: false }).makeRequestAsyncOmit(request, '', [200], region);
}

/** The account `uid` that has these keys; `admin` may limit its buckets. */
export function accountAt(address: StoreAddress, uid: string, admin: StoreAddress): StoreAccount {
  const client = new Client({ ...address, useSSL: false });

  return {
    ...address,
    makeBucket: async (name, { objectLock = false, versioning = false } = {}) => {
      await client.makeBucket(name, '', { ObjectLocking: objectLock });
      if (versioning) await client.setBucketVersioning(name, { Status: 'Enabled' });
    },
    limitBucket: (name, objects) =>
      administer(admin, 'bucket', { quota: '', uid, bucket: name, 'max-objects': `${objects}`, enabled: 'true' }),
  };
}

/** A new account that sees no bucket of another, not even one of the same name: it is in a tenant of its own. */
export async function openAccount(admin: StoreAddress): Promise<StoreAccount> {
  const { endPoint, port, region } = admin;
  const keys = newKeys();
  const tenant = keys.accessKey.toLowerCase();
  await administer(admin, 'user', {
    ...{ uid: 'lab', tenant, 'display-name': 'Lab' },
    ...{ 'access-key': keys.accessKey, 'secret-key': keys.secretKey },
  });

  return accountAt({ endPoint, port, region, ...keys }, `${tenant}$lab`, admin);
}
