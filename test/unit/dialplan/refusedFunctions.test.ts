import { refusesByRelease } from '../../../src/dialplan/source/refusal.ts';
import { inShort, lintText } from '../../support/dialplan/linting.ts';

const told = 'exten => 100,1,Gosub(preavis-tell,s,1(line=sales))';

describe('a function that Asterisk refuses is named', () => {
  test.each([
    ['read in an argument', ' same => n,Dial(PJSIP/${DB(devices/100)},30)'],
    ['read inside another', ' same => n,Set(way=${IF($["${STAT(e,/tmp/closed)}" = "1"]?closed:open)})'],
    ['set', ' same => n,Set(DB(last/100)=${EPOCH})'],
    ['set by MSet()', ' same => n,MSet(CURL(http://127.0.0.1)=x)'],
  ])('%s', async (_name, step) => {
    expect(inShort(await lintText(`[in]\n${told}\n${step}\n same => n,Hangup()`))).toEqual(['function-refused 3']);
  });

  test('once for each context, at its first place', async () => {
    const steps = Array.from({ length: 40 }, () => ' same => n,Set(x=${DB(a/b)})').join('\n');
    const text = `[in]\n${told}\n${steps}\n same => n,Goto(next,s,1)\n[next]\nexten => s,1,Set(x=\${DB(a/b)})\n same => n,Hangup()`;
    expect(inShort(await lintText(text))).toEqual(['function-refused 3', 'function-refused 45']);
  });

  test('where a notice is told in one of two ways only', async () => {
    const text = `[in]\nexten => 100,1,GosubIf($["\${X}" = "1"]?preavis-tell,s,1(line=sales))\n same => n,Set(x=\${DB(a/b)})`;
    expect(inShort(await lintText(text))).toEqual(['function-refused 3']);
  });
});

describe('nothing is named', () => {
  test.each([
    ['before the notice', `exten => 100,1,Set(x=\${DB(a/b)})\n same => n,Gosub(preavis-tell,s,1(line=sales))`],
    ['of a call without one', 'exten => 100,1,Set(x=${DB(a/b)})\n same => n,Dial(PJSIP/100,30)'],
    ['of functions that it only resembles', `${told}\n same => n,Set(x=\${DB_EXISTS(a/b)}\${CURL(http://127.0.0.1)})`],
    [
      'behind a Local/ channel, which Préavis does not have',
      `${told}\n same => n,Dial(Local/s@ring,30)\n[ring]\nexten => s,1,Dial(PJSIP/\${DB(a/b)},30)`,
    ],
  ])('%s', async (_name, steps) => {
    expect(inShort(await lintText(`[in]\n${steps}\n`))).toEqual([]);
  });

  test.each(['yes', 'true', '1', 'on'])('where asterisk.conf has live_dangerously = %s', async (value) => {
    const more = { 'asterisk.conf': `[options]\nlive_dangerously = ${value}\n` };
    expect(inShort(await lintText(`[in]\n${told}\n same => n,Set(x=\${DB(a/b)})`, { more }))).toEqual([]);
  });

  test('where it says no, or says it elsewhere, it is named', async () => {
    for (const text of ['[options]\nlive_dangerously = no\n', '[directories]\nlive_dangerously = yes\n']) {
      const more = { 'asterisk.conf': text };
      const result = await lintText(`[in]\n${told}\n same => n,Set(x=\${DB(a/b)})`, { more });
      expect(inShort(result)).toEqual(['function-refused 3']);
    }
  });
});

describe('the releases that refuse', () => {
  test.each([
    ['Asterisk 22.10.1~dfsg+~cs6.17.60671434-1 built by nobody', true],
    ['Asterisk 22.10.0', false],
    ['Asterisk 22.11.0-rc1', true],
    ['Asterisk 22.9.3', false],
    ['Asterisk 23.4.1', true],
    ['Asterisk 23.4.0', false],
    ['Asterisk 24.0.0', true],
    ['Asterisk 21.12.3', true],
    ['Asterisk 20.20.0', false],
    ['Asterisk 20.21.0', true],
    ['Asterisk 16.28.0~dfsg-0+deb11u4', false],
    ['Asterisk certified-20.7-cert11', true],
    ['Asterisk certified-20.7-cert10', false],
    ['Asterisk certified-22.8-cert2', false],
    ['', false],
  ])('%s: %s', (version, refuses) => {
    expect(refusesByRelease(version)).toBe(refuses);
  });
});
