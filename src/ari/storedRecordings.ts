import * as z from 'zod';
import { isThere, parse } from './answers.ts';
import type { Download, OpenDownload } from './download.ts';
import type { AriRequest } from './httpClient.ts';

/** The files in the recording folder of an Asterisk on another machine. */

const storedList = z.array(z.object({ name: z.string(), format: z.string() }));

/** The name is that of its file without the ending, which is the format; in a folder below, it has a slash. */
type StoredRecording = z.output<typeof storedList>[number];

/** Throws what requests throw, and reading the reason of its signal. */
export type AriStored = {
  /** Every sound file in the folder and below, those that are still written to as well. Asterisk walks the whole folder for it. */
  list(): Promise<readonly StoredRecording[]>;
  /** Its bytes. Of one that is still written to: what is there by then, under the header of an empty one. */
  read(name: string, signal: AbortSignal): Promise<Download>;
  /** Removes the file; also one that is still written to. False where there is none. */
  remove(name: string): Promise<boolean>;
};

const id = encodeURIComponent;

export function makeStoredRecordings(request: AriRequest, open: OpenDownload): AriStored {
  return {
    list: async () => parse(storedList, await request('GET', '/recordings/stored')),
    read: (name, signal) => open('GET', `/recordings/stored/${id(name)}/file`, signal),
    remove: (name) => isThere(request('DELETE', `/recordings/stored/${id(name)}`)),
  };
}
