import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder of package.json, which has the shipped sounds and purposes beside the program. It is looked for from this file upwards: the
 * build puts modules of many folders into few files.
 */
function folderOfPackage(from: string): string {
  const above = dirname(from);

  return existsSync(join(from, 'package.json')) || above === from ? from : folderOfPackage(above);
}

const folder = folderOfPackage(import.meta.dirname);

/** The path of a file or folder that was installed with Préavis. */
export function installedPath(...names: string[]): string {
  return join(folder, ...names);
}

let version: string | undefined;

/** The version of Préavis, of package.json alone: `--version`, the health page, receipts and packages have it from there. */
export function installedVersion(): string {
  version ??= (JSON.parse(readFileSync(installedPath('package.json'), 'utf8')) as { version: string }).version;

  return version;
}
