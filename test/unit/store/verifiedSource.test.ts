import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { movedSource } from '../../../src/store/verifiedSource.ts';

const content = Buffer.from('what was recorded, byte for byte');
const expected = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };

/** All pieces of this length that are given. */
async function taken(chunks: readonly Buffer[], length: number): Promise<Buffer> {
  const source = movedSource(Readable.from(chunks, { objectMode: false }), expected);
  const pieces: Buffer[] = [];
  for (let bytes = 0; bytes < expected.bytes;) {
    const piece = Buffer.from(await source.next(Buffer.alloc(length)));
    pieces.push(piece);
    bytes += piece.length;
  }
  await source.close();

  return Buffer.concat(pieces);
}

test.each([1, 7, content.length, 1_000])('gives what is expected in pieces of %d bytes', async (length) => {
  for (const at of [0, 1, 13, content.length]) {
    expect((await taken([content.subarray(0, at), content.subarray(at)], length)).equals(content)).toBe(true);
  }
});

test.each([
  ['shorter', content.subarray(1)],
  ['longer', Buffer.concat([content, Buffer.from('!')])],
  ['different', Buffer.from(content).fill('X', 3, 4)],
])('never gives the last piece of what is %s', async (how, altered) => {
  for (const length of [5, 1_000]) {
    await expect(taken([altered], length)).rejects.toMatchObject({
      code: 'archive_mismatch',
      message: expect.stringContaining(how) as string,
    });
  }
});
