/** `npm run lab` as a person has it, in a process of its own: its output, its keys, and what is left of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type LabRecord } from '../../../lab/machine/records.mjs';
import { runFolder } from '../../../lab/machine/folders.mjs';
import { isPortClaimed, isPortFree } from '../../../lab/machine/ports.ts';
import { eventually } from '../../support/poll.ts';

type Owned = LabRecord & { owner: { pid: number } };

class Lab {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  /** Every process, folder and mount that it has recorded so far. */
  readonly records = new Map<string, Owned>();
  output = '';
  errors = '';

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, ['--import', 'tsx', 'lab/up.ts', ...args], {
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

  /** The value of this line of the list of addresses. */
  address(name: string): string {
    return new RegExp(`^${name} {2,}(.+)$`, 'm').exec(this.output)?.[1] ?? `no line ${name} in:\n${this.output}`;
  }

  ports(): number[] {
    return ['SIP', 'ARI', 'S3', 'Health page', 'Agent'].map((name) =>
      Number(/127\.0\.0\.1:(\d+)/.exec(this.address(name))?.[1]),
    );
  }

  async expectNothingLeft(): Promise<void> {
    const kinds = new Set([...this.records.values()].map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['cleanUpProcess', 'path', 'process']));
    const left = (): unknown[] =>
      [...this.records].filter(
        ([name, record]) =>
          existsSync(join(runFolder(), name)) || ('pid' in record ? isAlive(record) : existsSync(record.path)),
      );
    await eventually(() => {
      expect(left()).toEqual([]);
    });
    // Another lab may have them meanwhile.
    for (const port of this.ports())
      await eventually(async () => (await isPortFree(port)) || (await isPortClaimed(port)));
  }
}

let lab: Lab;

afterEach(() => {
  // Its clean-up process ends the rest.
  lab.child.kill('SIGKILL');
});

it('places one call with --once, shows every address and every log, and leaves nothing', async () => {
  lab = new Lab('--once');
  expect(await lab.exited).toEqual([0, null]);
  expect(lab.errors).toBe('');
  for (const port of lab.ports()) expect(port).toBeGreaterThan(0);
  expect(new Set(lab.ports()).size).toBe(5);
  expect(lab.address('Extension 100')).toBe('announced only');
  expect(lab.address('ARI')).toContain('user preavis');
  for (const name of ['Recordings', 'Log of serve', 'Configuration', 'Passwords']) {
    expect(lab.address(name)).toMatch(/^\/.*preavis/);
  }
  expect(lab.output).toMatch(/^ {2}\. \/.*\/preavis\.env$/m);

  expect(lab.output).toMatch(/^asterisk \| \[.*Executing \[100@incoming:1\] Gosub/m);
  expect(lab.output).toMatch(/^preavis {2}\| [\d:.]{12} info {2}serving .*asterisk=/m);
  expect(lab.output).toMatch(/^store {4}\| [\d:.]{12} PUT \/recordings\/recordings\/\S+\.wav 200$/m);
  expect(lab.output).toMatch(/^caller {3}\| [\d:.]{12} answered$/m);
  expect(lab.output).toMatch(/^agent {4}\| [\d:.]{12} byeReceived$/m);
  expect(lab.output).toMatch(/^lab {6}\| call \w{26} is over: recorded, fr because of number, 1 of 1 sentences heard/m);
  expect(lab.output).toMatch(/^lab {6}\| archived as recordings\/\S+\.wav$/m);
  await lab.expectNothingLeft();
});

it('obeys keys, refuses others, and ends everything by Ctrl-C in the middle of a call', async () => {
  lab = new Lab();
  await lab.shows('Keys, each with Enter behind it:');
  lab.type('x');
  await lab.shows(/^lab +\| There is no such key here; \? lists them\.$/m);
  lab.type('h');
  await lab.shows(/^lab +\| There is no call\. c places one\.$/m);
  lab.type('c 200');
  await lab.shows(/^asterisk \| .*Playing 'preavis\/notice-training/m);
  lab.type('c');
  await lab.shows(/^lab +\| A call is on\. h hangs up\.$/m);
  lab.type('9');
  await lab.shows(/^caller +\| pressed 9$/m);
  await lab.shows(/^agent +\| [\d:.]{12} answered$/m);
  lab.child.kill('SIGINT');
  expect(await lab.exited).toEqual([0, null]);
  expect(lab.errors).toBe('');
  await lab.expectNothingLeft();
});
