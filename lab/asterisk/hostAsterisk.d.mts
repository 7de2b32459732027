export type HostAsterisk = {
  /** The program, with links followed. */
  readonly program: string;
  readonly version: string;
  readonly dataFolder: string;
};

export declare const oldestAsterisk: number;
export declare function runAs(root: string): { uid: number; gid: number };
export declare function hostCommand(program: string, args: readonly string[]): [string, string[]];
export declare function findDataFolder(root: string, prefix?: string): string | undefined;
export declare function majorOf(version: string): number;
export declare function versionIn(answer: string): string | undefined;
export declare function findHostAsterisk(options?: { path?: string; again?: boolean }): {
  asterisk: HostAsterisk | undefined;
  passedOver: string[];
};
