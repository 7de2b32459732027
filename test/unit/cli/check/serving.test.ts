import type { Served } from '../../../../src/catalogue/jobs/leases.ts';
import { findingsOf, servingFindings } from '../../../../src/cli/check/serving.ts';
import { dayMs } from '../../../../src/core/clock.ts';
import { thisProcess } from '../../../../src/core/processes.ts';
import { PreavisError } from '../../../../src/core/errors.ts';

const minute = 60_000;
let pid = 0;
beforeEach(() => {
  pid = 0;
});

const process = (number: number): Served['by'] => ({
  id: `process ${number}`,
  host: 'host',
  pid: number,
  machine: null,
  started: null,
});

/** By another process each time, where none is given. */
const served = (application: string, awayMs: number, pbx?: string, by = process((pid += 1))): Served => ({
  serve: { pbx, application },
  awayMs,
  by,
});

const warningsOf = (...all: Served[]): string[] =>
  findingsOf(all).flatMap((finding) => (finding.ok && finding.warning !== undefined ? [finding.warning] : []));
const notesOf = (...all: Served[]): readonly string[] =>
  findingsOf(all).flatMap((finding) => (finding.ok ? (finding.notes ?? []) : []));

test('the calls of each application are watched by a process, or were last so long ago, which is a warning', () => {
  const all = [
    served('preavis', 4_000, 'north'),
    served('preavis', 25_000, 'desert'),
    served('preavis', 5 * minute, 'south'),
    served('preavis', 150 * minute, 'east'),
    served('preavis', 3 * dayMs, 'west'),
  ];
  expect(findingsOf(all)).toEqual([
    {
      check: 'who watches calls',
      ok: true,
      notes: [
        'process 1 on host watches the calls of the application preavis of the PBX north',
        'nobody has watched the calls of the application preavis of the PBX desert for 25 seconds',
        'nobody has watched the calls of the application preavis of the PBX south for 5 minutes',
        'nobody has watched the calls of the application preavis of the PBX east for 2 hours',
        'nobody has watched the calls of the application preavis of the PBX west for 3 days',
      ],
      warning: [
        'nobody has watched the calls of the application preavis of the PBX desert for 25 seconds',
        'nobody has watched the calls of the application preavis of the PBX south for 5 minutes',
        'nobody has watched the calls of the application preavis of the PBX east for 2 hours',
        'nobody has watched the calls of the application preavis of the PBX west for 3 days. Calls that nobody watches go on unrecorded: start preavis serve',
      ].join('; '),
    },
  ]);
});

test('who has died watches nothing from then on, where that can be seen', () => {
  expect(notesOf(served('preavis', 3_000, undefined, thisProcess()))).toHaveLength(1);
  expect(warningsOf(served('preavis', 3_000, undefined, thisProcess()))).toEqual([]);
  expect(warningsOf(served('preavis', 3_000, undefined, { ...thisProcess(), started: 'long ago' }))).toEqual([
    'nobody has watched the calls of the application preavis for 3 seconds. Calls that nobody watches go on unrecorded: start preavis serve',
  ]);
});

test('one worker that has the calls of both is a warning, and so is one whose calls the other one has not', () => {
  const south = [served('preavis-b', 1_000, 'south'), served('preavis-a', 0, 'south')];
  expect(warningsOf(...south)).toEqual([]);
  const one = process(9);
  expect(warningsOf(...south, served('preavis-a', 0, 'north', one), served('preavis-b', 0, 'north', one))).toEqual([
    'process 9 on host has the calls of both workers of the PBX north: the other worker is away',
  ]);
  expect(warningsOf(...south, served('preavis-a', 0, 'north'), served('preavis-b', minute, 'north'))).toEqual([
    'nobody has watched the calls of the application preavis-b of the PBX north for 60 seconds',
  ]);
  const both = [served('preavis-a', 2 * minute, 'north', one), served('preavis-b', 2 * minute, 'north', one)];
  expect(warningsOf(...south, ...both)).toEqual([
    'nobody has watched the calls of the application preavis-a of the PBX north for 2 minutes; nobody has watched the calls of the application preavis-b of the PBX north for 2 minutes. Calls that nobody watches go on unrecorded: start preavis serve',
  ]);
});

test('what two workers have replaced is not named, nor what one serve has replaced again', () => {
  const workers = (awayMs: number) => [served('preavis-a', awayMs, 'north'), served('preavis-b', awayMs, 'north')];
  expect(notesOf(served('preavis', 2 * minute, 'north'), ...workers(0))).toHaveLength(2);
  expect(notesOf(served('preavis', 10_000, 'north'), ...workers(0))).toHaveLength(2);
  expect(notesOf(served('preavis', 0, 'north'), ...workers(10_000))).toHaveLength(1);
  // Also once they are stopped.
  expect(notesOf(served('preavis', 4 * minute, 'north'), ...workers(3 * minute))).toHaveLength(2);
  // Of another PBX it is no matter.
  expect(notesOf(served('preavis', 2 * minute, 'south'), ...workers(0))).toHaveLength(3);
  expect(warningsOf(served('preavis', 0, 'north'), ...workers(2 * minute))).toEqual([]);
});

test('nothing is said of who was away for a month, of a mark from the future, and before the first start', () => {
  expect(findingsOf([served('preavis', 30 * dayMs), served('other', -2 * minute)])).toEqual([]);
  expect(findingsOf([])).toEqual([]);
});

test('a catalogue that does not answer is a finding', async () => {
  const leases = { served: () => Promise.reject(new PreavisError('catalogue_unusable', 'it does not answer')) };
  expect(await servingFindings({ leases })).toMatchObject([{ ok: false, code: 'catalogue_unusable' }]);
});
