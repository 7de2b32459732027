export type ProcessIdentity = { pid: number; startTime: string };

export declare function startTimeOf(pid: number): string | undefined;
export declare function isAlive(identity: ProcessIdentity): boolean;
export declare function endLeftovers(folder?: string): number;
