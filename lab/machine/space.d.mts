export type SpaceNeed = {
  readonly folder: string;
  readonly mib: number;
  readonly what: string;
  /** What names another folder, for example `TMPDIR`. */
  readonly choose: string;
};

export declare const neededMib: {
  asterisk: number;
  machine: number;
  npmPackages: number;
  prometheus: number;
  kamailio: number;
  imageBase: number;
  litestream: number;
  run: number;
  start: number;
};
export declare function wantsOfSpace(needs: readonly SpaceNeed[]): string[];
export declare function refuseWithoutSpace(needs: readonly SpaceNeed[]): void;
