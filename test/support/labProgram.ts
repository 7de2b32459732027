/** A program of the lab as a person has it, in a process of its own: its output, its keys, and what is left of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type LabRecord } from '../../lab/machine/records.mjs';
import { runFolder } from '../../lab/machine/folders.mjs';
import { isPortClaimed, isPortFree } from '../../lab/machine/ports.ts';
import { eventually } from './poll.ts';

type Owned = LabRecord & { owner: { pid: number } };

export class LabProgram {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  /** Every process, folder and mount that it has recorded so far. */
  readonly records = new Map<string, Owned>();
  output = '';
  errors = '';

  /** @param file such as `lab/up.ts` */
  constructor(file: string, ...args: readonly string[]) {
    this.child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.exited = once(this.child, 'exit');
    this.child.stdout?.on('data', (data: Buffer) => {
      this.output += data.toString();
      this.#noteRecords();
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.errors += data.toString();
    });
  }

  #noteRecords(): void {
    for (const name of readdirSync(runFolder()).filter((each) => each.endsWith('.json'))) {
      try {
        const record = JSON.parse(readFileSync(join(runFolder(), name), 'utf8')) as Owned;
        if (record.owner.pid === this.child.pid) this.records.set(name, record);
      } catch {
        // Removed meanwhile.
      }
    }
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async shows(text: string | RegExp): Promise<void> {
    await eventually(
      () => {
        if (this.child.exitCode === null) expect(this.output).toMatch(text);
      },
      // Before the first of it, an S3 server, Asterisk and serve start one after the other.
      { withinMs: 120_000 },
    );
    expect(this.output).toMatch(text);
  }

  /** @param ports on which it has listened */
  async expectNothingLeft(ports: readonly number[]): Promise<void> {
    const kinds = new Set([...this.records.values()].map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['cleanUpProcess', 'path', 'process']));
    const left = (): unknown[] =>
      [...this.records].filter(
        ([name, record]) =>
          existsSync(join(runFolder(), name)) ||
          ('pid' in record ? isAlive(record) : 'path' in record && existsSync(record.path)),
      );
    await eventually(() => {
      expect(left()).toEqual([]);
    });
    // Another lab may have them meanwhile.
    for (const port of ports) await eventually(async () => (await isPortFree(port)) || (await isPortClaimed(port)));
  }
}
