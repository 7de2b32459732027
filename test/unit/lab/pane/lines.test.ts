import { prefixed, preavisLine, storeLine } from '../../../../lab/pane/lines.ts';

test('each line has its source before it, and no character of it obeys the terminal', () => {
  expect(prefixed('agent', 'one\ntwo\u001b[2J\n')).toBe('agent    | one\nagent    | two\\u{1b}[2J');
});

test('a line of serve is time, level and message, and the rest behind them', () => {
  const line = { level: 'info', time: '2026-11-28T23:50:33.408Z', call: '01A', flags: [1], msg: 'call ended' };
  expect(preavisLine(JSON.stringify(line))).toBe('23:50:33.408 info  call ended call=01A flags=[1]');
});

test.each(['preavis: config_invalid: lines', '{"level":', '12', 'null'])(
  'what is no line of a log stays: %s',
  (text) => {
    expect(preavisLine(text)).toBe(text);
  },
);

test('a request to the store is its time, what was asked, and the answer', () => {
  const line =
    '2026-11-28T23:40:36.028+0000 7f66c40d86c0  1 beast: 0x7f66c40d86e0: 127.0.0.1 - lab [28/Nov/2026:23:40:36.028 +0000] ' +
    '"PUT /recordings/a.wav HTTP/1.1" 200 42 - "MinIO (linux; x64) minio-js/8.0.7" - latency=0.004000000s';
  expect(storeLine(line)).toBe('23:40:36.028 PUT /recordings/a.wav 200');
});

test('of what the store says about itself, errors are kept alone', () => {
  const line = (level: string) => `2026-11-28T23:40:36.028+0000 7f66c40d86c0 ${level} something`;
  expect(['-1', ' 0', ' 1', ' 5'].map((level) => storeLine(line(level)) !== undefined)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
