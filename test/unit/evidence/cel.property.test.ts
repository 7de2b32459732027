import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { PreavisError } from '../../../src/core/errors.ts';
import { lastCelLine, readCelLines } from '../../../src/receipt/celFile.ts';
import { parseCelLine } from '../../../src/receipt/celLine.ts';
import { celBegin, celEnd, celText } from '../../support/ari/cel.ts';
import { hostileText, mutatedBytes } from '../../support/hostileValues.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const start = Date.UTC(2025, 10, 25, 3);
const channel = '1795576835.1';
const good = Buffer.from(celText([celBegin(start, channel, 'preavis/one'), celEnd(start + 3_000, channel)]));
const window = { ids: [channel], from: start - 1_000, to: start + 60_000 };

function isLine(line: unknown): void {
  if (line === undefined) return;
  expect(line).toMatchObject({
    event: expect.stringMatching(/^(begin|end)$/) as string,
    at: expect.any(Number) as number,
    channel: expect.any(String) as string,
  });
  expect(Number.isSafeInteger((line as { at: number }).at)).toBe(true);
}

test('any text is a line of Asterisk or none', () => {
  const quoted = fc.array(hostileText(), { maxLength: 6 }).map((cells) => cells.map((cell) => `"${cell}"`).join(','));
  const nearly = fc
    .tuple(hostileText(), hostileText(), hostileText())
    .map(([time, of, extra]) => `"STREAM_BEGIN","${time}","${of}","${extra}"`);
  fc.assert(
    fc.property(fc.oneof(hostileText(), quoted, nearly), (text) => {
      // The reader of the file drops longer ones.
      isLine(parseCelLine(text.slice(0, 4_096)));
    }),
    tried(400),
  );
});

test('a file of any bytes gives the lines that it has, and never more', async () => {
  const file = folder.path('preavis.csv');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 4_000 }).map((each) => Buffer.from(each)),
    mutatedBytes([good]),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      await writeFile(file, content);
      const found = await readCelLines(file, window).catch((error: unknown) => {
        expect(error).toBeInstanceOf(PreavisError);
        return { lines: new Map<string, never[]>() };
      });
      for (const line of found.lines.get(channel) ?? []) {
        isLine(line);
        expect(line.at).toBeGreaterThanOrEqual(window.from);
        expect(line.at).toBeLessThanOrEqual(window.to);
      }
      const last = await lastCelLine(file);
      if (typeof last !== 'string') isLine(last);
    }),
    tried(150),
  );
});
