/** `npm run lab` as a person has it. */
import { LabProgram } from '../../support/labProgram.ts';

class Lab extends LabProgram {
  constructor(...args: readonly string[]) {
    super('lab/up.ts', ...args);
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
  await lab.expectNothingLeft(lab.ports());
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
  await lab.expectNothingLeft(lab.ports());
});
