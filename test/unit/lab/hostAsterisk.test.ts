import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { findHostAsterisk, versionIn } from '../../../lab/asterisk/hostAsterisk.mjs';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const temporary = temporaryFolder();

/** A folder for PATH. */
function folderWith(name: string, put: (file: string) => void): { path: string; file: string } {
  const path = temporary.path(name);
  mkdirSync(path);
  const file = `${path}/asterisk`;
  put(file);
  return { path, file };
}

/** The sentence about this file, if any: the machine may have others. */
const saidOf = (file: string, path: string): string[] =>
  findHostAsterisk({ path }).passedOver.filter((sentence) => sentence.startsWith(file));

it('passes over a script, whatever it answers, in one sentence', () => {
  const { path, file } = folderWith('script', (wrapper) => {
    writeFileSync(wrapper, '#!/bin/sh\necho Asterisk 22.5.0\n', { mode: 0o755 });
  });
  const { asterisk } = findHostAsterisk({ path });
  expect(asterisk?.program).not.toBe(file);
  expect(saidOf(file, path)).toEqual([
    `${file} is passed over: it is a script, and the lab runs only Asterisk itself.`,
  ]);
});

it('passes over a program that is not Asterisk', () => {
  const { path, file } = folderWith('other', (other) => {
    copyFileSync('/bin/true', other);
    chmodSync(other, 0o755);
  });
  chmodSync(temporary.path(), 0o755);
  expect(saidOf(file, path)).toEqual([expect.stringContaining('is passed over: it does not say its version (')]);
});

it('says nothing of a folder or a file that cannot be run', () => {
  const folder = folderWith('folder', (file) => {
    mkdirSync(file);
  });
  const text = folderWith('text', (file) => {
    writeFileSync(file, 'x', { mode: 0o644 });
  });
  expect(saidOf(folder.file, `${folder.path}:${text.path}`)).toEqual([]);
  expect(saidOf(text.file, `${folder.path}:${text.path}`)).toEqual([]);
});

it('looks for none when the Asterisk of another Debian release is asked for', () => {
  const { path } = folderWith('asked', (file) => {
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
  });
  process.env['PREAVIS_LAB_RELEASE'] = 'bullseye';
  try {
    expect(findHostAsterisk({ path })).toEqual({ asterisk: undefined, passedOver: [] });
  } finally {
    delete process.env['PREAVIS_LAB_RELEASE'];
  }
});

it.each([
  ['Asterisk 22.10.1~dfsg+~cs6.17.60671434-1\n', '22.10.1~dfsg+~cs6.17.60671434-1'],
  ['Asterisk certified/18.9-cert1\n', 'certified/18.9-cert1'],
  ['a warning first\nAsterisk 20.5.0\n', '20.5.0'],
  ['', undefined],
  ['GNU bash, version 5.2\n', undefined],
])('reads a version in %j', (answer, version) => {
  expect(versionIn(answer)).toBe(version);
});
