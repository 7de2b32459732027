import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { callShards, shardOf } from '../../support/rig/shards.ts';

const crashes = join(import.meta.dirname, '..', '..', 'acceptance', 'crash');
const shards = Array.from({ length: callShards }, (_, index) => index + 1);
const failPoints = Array.from({ length: 200 }, (_, index) => `call talking, before effect ${index}`);

describe('the places of a crash', () => {
  it('fall each to one shard, and there is a test file for each shard and for no other', () => {
    expect(failPoints.filter((failPoint) => !shards.includes(shardOf(failPoint)))).toEqual([]);
    for (const kind of ['call', 'follow']) {
      const files = readdirSync(crashes).filter((name) => name.startsWith(`${kind}.`));
      expect(files.sort()).toEqual(shards.map((shard) => `${kind}.${shard}.test.ts`));
    }
  });

  it('are shared out about evenly', () => {
    for (const shard of shards) {
      const share = failPoints.filter((failPoint) => shardOf(failPoint) === shard).length / failPoints.length;
      expect(share).toBeGreaterThan(0.5 / callShards);
      expect(share).toBeLessThan(1.5 / callShards);
    }
  });
});
