export declare function takeFirst(pid: number): void;
