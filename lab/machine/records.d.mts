export type ProcessIdentity = { pid: number; startTime: string };

export type LabRecord =
  | ({ kind: 'process'; command: string } & ProcessIdentity)
  /** Waits for the owner's end; it is left to end by itself. */
  | ({ kind: 'cleanUpProcess' } & ProcessIdentity)
  | { kind: 'path'; path: string }
  | { kind: 'mount'; path: string }
  /** A segment of System V, which outlives whoever has made it. */
  | { kind: 'sharedMemory'; id: number };

export declare function startTimeOf(pid: number): string | undefined;
export declare function isAlive(identity: ProcessIdentity): boolean;
export declare function ownIdentity(): ProcessIdentity;
export declare function ownRecord(record: LabRecord, name?: string): () => void;
export declare function readOwnRecord(name: string): LabRecord | undefined;
export declare function deadRecords(folder?: string): LabRecord[];
export declare function cleanUpDeadRecords(folder?: string): number;
