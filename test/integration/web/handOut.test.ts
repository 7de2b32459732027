import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { removeLeftovers } from '../../../src/web/handOut.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();

test('what a killed process has left is removed, also where this one has its number; that of one that lives stays', async () => {
  const at = folder.path('web-files');
  const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
  const names = [`${dead}-aaaaaa`, `${process.pid}-bbbbbb`, `${process.ppid}-cccccc`];
  for (const name of names) {
    await mkdir(`${at}/${name}`, { recursive: true });
    await writeFile(`${at}/${name}/file`, 'x');
  }
  await removeLeftovers({ catalogue: { file: folder.path('catalogue.db') } });
  expect(await readdir(at)).toEqual([`${process.ppid}-cccccc`]);
});
