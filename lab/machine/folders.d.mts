export declare function cacheFolder(): string;
export declare function runFolder(): string;
export declare function askedRelease(): string | undefined;
export declare function asteriskRelease(): string;
export declare function asteriskRoot(): string;
export function fakeClockLibrary(root: string): string | undefined;
export declare function prometheusPrograms(): { prometheus: string; promtool: string };
export declare function imageBase(): { folder: string; release: string; node: string };
export declare function litestreamProgram(): string;
