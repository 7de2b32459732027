/** Tests that kill at many fail points are cut into several files, so that several processes can run them at the same time. */
import { createHash } from 'node:crypto';

/** The files of the kills in a call: `crash.call.1`, `crash.call.2` and so on; likewise of those in a followed call, `crash.follow.1`. */
export const callShards = 3;

/** The shard of a fail point, from 1 on. By its name alone: two undisturbed calls may pass their fail points in different orders. */
export function shardOf(failPoint: string, shards = callShards): number {
  return (createHash('sha512').update(failPoint).digest().readUInt32BE(0) % shards) + 1;
}
