import type { BuildOptions, BuildResult } from 'esbuild';

export declare const product: { readonly entryPoints: string[]; readonly outdir: string };
export declare function bundle(what: {
  readonly entryPoints: string[];
  readonly outdir: string;
  readonly write?: boolean;
}): BuildResult<BuildOptions & { metafile: true; write: false }>;
export declare function buildConsole(outDir: string): Promise<void>;
