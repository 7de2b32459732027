import { execFileSync, spawnSync } from 'node:child_process';
import { built } from '../../support/built.ts';

const canUnshare = spawnSync('unshare', ['-U', '--map-user=1', 'true']).status === 0;

(canUnshare ? test : test.skip)(
  'another account that somebody has given to themselves in a user namespace is told as not proved',
  () => {
    const program = `const { operatorOf } = await import('${built('cli/operator.ts')}'); console.log(operatorOf({}));`;
    const node = [process.execPath, '--input-type=module', '-e', program];
    const said = execFileSync('unshare', ['-U', '--map-user=1', ...node], { encoding: 'utf8' });
    expect(said).toMatch(/^user daemon, not proved: in a user namespace(, started by \S+)?(, login of \S+)?\n$/);
  },
);
