import { parseCelLine } from '../../../src/receipt/celLine.ts';
import { celBegin, celEnd, celMusic } from '../../support/ari/cel.ts';

const at = 1_795_576_835_330;
const channel = '1795576835.0';

describe('a line of the CEL file', () => {
  test('tells which sound began on which channel, when, and in which language it was asked for', () => {
    // As Asterisk 22.10.1 wrote it.
    const line =
      '"STREAM_BEGIN","1795576835.330749","1795576835.0","{""sound"":""preavis/notice-training-ad02ed3064aa"",""format"":""alaw"",""language"":""fr""}"';
    expect(parseCelLine(line)).toEqual({
      event: 'begin',
      at,
      channel,
      sound: 'preavis/notice-training-ad02ed3064aa',
      language: 'fr',
    });
  });

  test('tells when what plays ended', () => {
    expect(parseCelLine('"STREAM_END","1795576838.675914","1795576835.0",""')).toEqual({
      event: 'end',
      at: 1_795_576_838_675,
      channel,
    });
  });

  test('of music on hold names no sound', () => {
    expect(parseCelLine(celMusic(at, channel))).toEqual({
      event: 'begin',
      at,
      channel,
      sound: undefined,
      language: undefined,
    });
  });

  test('is read with and without quotes, and with the end of a line of Windows', () => {
    expect(parseCelLine(`STREAM_END,1795576838.675914,${channel},`)).toMatchObject({ event: 'end', channel });
    expect(parseCelLine(`${celEnd(at, channel)}\r`)).toMatchObject({ event: 'end', channel });
  });

  test('keeps each millisecond', () => {
    for (let ms = 0; ms < 1_000; ms += 1) expect(parseCelLine(celEnd(at + ms, channel))?.at).toBe(at + ms);
  });

  test.each([
    ['nothing', ''],
    ['another event', '"CHAN_START","1795576835.330749","1795576835.0",""'],
    ['another event in the mapping that Asterisk ships', '"STREAM_END","2026-11-25 03:20:35","Name","100","100"'],
    ['a time of a dateformat', '"STREAM_END","2026-11-25 03:20:35","1795576835.0",""'],
    ['a time without microseconds', '"STREAM_END","1795576835","1795576835.0",""'],
    ['a time that is no number', '"STREAM_END","NaN.000000","1795576835.0",""'],
    ['no channel', '"STREAM_END","1795576835.330749","",""'],
    ['a field more', '"STREAM_END","1795576835.330749","1795576835.0","","more"'],
    ['a field less', '"STREAM_END","1795576835.330749","1795576835.0"'],
    ['an extra that is no JSON', '"STREAM_BEGIN","1795576835.330749","1795576835.0","{""sound"":"'],
    ['an extra that is a list', '"STREAM_BEGIN","1795576835.330749","1795576835.0","[1]"'],
    ['an extra that is null', '"STREAM_BEGIN","1795576835.330749","1795576835.0","null"'],
    ['a sound that is no text', '"STREAM_BEGIN","1795576835.330749","1795576835.0","{""sound"":7}"'],
    ['a quote that is never closed', '"STREAM_END","1795576835.330749","1795576835.0"," '],
    ['a quote in the midst', '"STREAM_END","1795576835.330749","17955"76835.0",""'],
    ['bytes of a binary file', '\u0000\u0001STREAM_END\ufffd'],
    ['another separator', 'STREAM_END;1795576835.330749;1795576835.0;'],
  ])('is none of ours with %s', (_, line) => {
    expect(parseCelLine(line)).toBeUndefined();
  });

  test('takes no more of a hostile extra than the sound and the language', () => {
    const extra = JSON.stringify({ sound: 'a', language: 'fr', callerid: '+3292345678', constructor: 1 });
    const line = `"STREAM_BEGIN","1795576835.330749","${channel}","${extra.replaceAll('"', '""')}"`;
    expect(Object.keys(parseCelLine(line) ?? {}).sort()).toEqual(['at', 'channel', 'event', 'language', 'sound']);
    expect(parseCelLine(celBegin(at, channel, 'a"b,c', 'nl'))).toMatchObject({ sound: 'a"b,c', language: 'nl' });
  });
});
