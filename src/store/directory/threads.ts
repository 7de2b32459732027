import pLimit from 'p-limit';

/** Node's own number, unless the environment has another. */
const threadsOfNode = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
/** For calls and the recording folder. */
const leftToOthers = 2;

/**
 * Work on the files of an archive folder, so much of it at a time that threads are left. Node does the work of all files on a few
 * threads, and a disk that hangs keeps its thread, whatever time limit the work has: were all of them kept, no call could be recorded.
 * Work must not wait for other such work.
 */
export const onArchiveThreads = pLimit(Math.max(1, threadsOfNode - leftToOthers));
