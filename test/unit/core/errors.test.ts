import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asPreavisError, errnoOf, errorCodes, PreavisError, type ErrorCode } from '../../../src/core/errors.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
const source = join(import.meta.dirname, '..', '..', '..', 'src');
const files = (readdirSync(source, { recursive: true }) as string[])
  .map((name) => join(source, name))
  .filter((path) => path.endsWith('.ts') && statSync(path).isFile());

describe('the list of errors', () => {
  test.each(codes)('says of %s what it means, in a sentence', (code) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(errorCodes[code].meaning).toMatch(/^[A-Z].{10,}\.$/);
    expect(errorCodes[code].remedy).toMatch(/^$|^[A-Z].*\.$/);
  });

  test('has no two codes with the same meaning', () => {
    const meanings = codes.map((code) => errorCodes[code].meaning);
    expect(new Set(meanings).size).toBe(meanings.length);
  });

  test('has no code that nothing raises', () => {
    const text = files
      .filter((path) => !path.endsWith('errors.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });
});

describe('an error', () => {
  test('carries its code, what to do, whether to retry, its exit code and its cause', () => {
    const cause = new Error('socket');
    const error = new PreavisError('ari_unreachable', 'no answer', { cause });
    expect(error).toMatchObject({
      name: 'PreavisError',
      code: 'ari_unreachable',
      message: 'no answer',
      hint: errorCodes.ari_unreachable.remedy,
      retryable: true,
      exitCode: 1,
      cause,
    });
    expect(new PreavisError('usage', 'x', { hint: 'do this' })).toMatchObject({ hint: 'do this', exitCode: 2 });
  });

  test('of Préavis stays what it is; anything else becomes internal and keeps its cause', () => {
    const own = new PreavisError('job_busy', 'x');
    expect(asPreavisError(own)).toBe(own);
    const other = new TypeError('x is undefined');
    expect(asPreavisError(other)).toMatchObject({ code: 'internal', message: 'x is undefined', cause: other });
    expect(asPreavisError('text')).toMatchObject({ code: 'internal', message: 'text', cause: 'text' });
    expect(asPreavisError(undefined)).toMatchObject({ code: 'internal', message: 'undefined' });
  });
});

describe('the code of a system error', () => {
  test('is that of Node, of SQLite, or none', () => {
    expect(errnoOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(errnoOf(Object.assign(new Error('x'), { code: 7 }))).toBeUndefined();
    expect(errnoOf(new Error('x'))).toBeUndefined();
    expect(errnoOf({ code: 'ENOENT' })).toBeUndefined();
    expect(errnoOf(undefined)).toBeUndefined();
    expect(errnoOf('ENOENT')).toBeUndefined();
    let thrown: unknown;
    try {
      statSync('/nowhere/at/all');
    } catch (error) {
      thrown = error;
    }
    expect(errnoOf(thrown)).toBe('ENOENT');
  });

  test('is seen on an error that was made without the constructor of Error, as better-sqlite3 makes its own', () => {
    const made = Object.assign(Object.create(Error.prototype) as Error, { code: 'SQLITE_FULL' });
    expect(errnoOf(made)).toBe('SQLITE_FULL');
  });
});
