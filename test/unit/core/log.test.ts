import { asPreavisError, PreavisError } from '../../../src/core/errors.ts';
import { collectingLog } from '../../support/logLines.ts';

const personal = ['callerNumber', 'callerName', 'dialString', 'header'];

describe('personal data in the log', () => {
  test.each(personal)('under %s is replaced: at the top, one level down, and in what a child log is given', (key) => {
    const { log, lines, text } = collectingLog();
    log.info({ [key]: 'zebra' }, 'one');
    log.info({ call: { [key]: 'zebra' } }, 'two');
    log.child({ [key]: 'zebra' }).info('three');
    log.child({ call: 'x' }).info({ [key]: 'zebra' }, 'four');
    expect(text()).not.toContain('zebra');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatchObject({ [key]: '[personal]', msg: 'one' });
    expect(lines[1]).toMatchObject({ call: { [key]: '[personal]' } });
  });
});

describe('a log line', () => {
  test('is one JSON object with level, time and message, and nothing of the machine', () => {
    const { log, lines, text } = collectingLog();
    log.warn({ recording: 'x' }, 'a text\nof two lines');
    expect(text().trimEnd().split('\n')).toHaveLength(1);
    expect(lines[0]).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      recording: 'x',
      msg: 'a text\nof two lines',
    });
  });

  test('has the name of the PBX, where it has one', () => {
    const { log, lines } = collectingLog('debug', { pbx: 'north' });
    log.child({ call: 'x' }).info('one');
    expect(lines).toMatchObject([{ pbx: 'north', call: 'x', msg: 'one' }]);
  });

  test('shows an error with its code and its cause', () => {
    const { log, lines } = collectingLog();
    const error = new PreavisError('archive_failed', 'broken', { cause: new Error('disk') });
    log.error({ code: error.code, err: error }, 'failed');
    expect(lines[0]).toMatchObject({ code: 'archive_failed', err: { code: 'archive_failed', type: 'PreavisError' } });
    expect(JSON.stringify(lines[0])).toContain('disk');
  });

  test('of a command says of an expected error its code and what is wrong, and of a fault of ours where it was', () => {
    const { log, lines, text } = collectingLog('debug', { stacks: 'internal' });
    log.error({ err: new PreavisError('archive_locked', 'a lock is on it', { cause: new Error('refused') }) }, 'one');
    expect(lines[0]?.['err']).toEqual({ code: 'archive_locked', message: 'a lock is on it' });
    expect(text()).not.toMatch(/stack|refused/);
    log.error({ err: asPreavisError(new TypeError('no such function')) }, 'two');
    expect(lines[1]?.['err']).toMatchObject({
      code: 'internal',
      stack: expect.stringContaining('log.test.ts') as string,
    });
    log.error({ err: new RangeError('beyond') }, 'three');
    expect(lines[2]?.['err']).toMatchObject({
      type: 'RangeError',
      stack: expect.stringContaining('log.test.ts') as string,
    });
  });

  test('is written only from the level on that was asked for', () => {
    const { log, lines } = collectingLog('warn');
    log.info('no');
    log.warn('yes');
    expect(lines.map((line) => line.msg)).toEqual(['yes']);
    const silent = collectingLog('silent');
    silent.log.error('no');
    expect(silent.lines).toEqual([]);
  });
});
