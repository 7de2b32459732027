import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';

/** Asks at the terminal, which does not show what is typed. The question is on standard error, so that the answer can be sent into a file. */
function askUnseen(question: string): Promise<string> {
  const unseen = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true, historySize: 0 });
  process.stderr.write(question);

  return new Promise((resolve, reject) => {
    const end = (): void => {
      process.stderr.write('\n');
      terminal.close();
    };
    terminal.once('line', (line) => {
      resolve(line);
      end();
    });
    // Ctrl-C, and Ctrl-D.
    for (const event of ['SIGINT', 'close'] as const) {
      terminal.once(event, () => {
        reject(new PreavisError('interrupted', 'nothing was made'));
        if (event === 'SIGINT') end();
      });
    }
  });
}

/**
 * A new secret: asked for twice at a terminal, or the first line of standard input. Never an argument, which every user of the machine can
 * read. Throws usage when the two differ, interrupted.
 *
 * @param firstLine gives that line
 */
export async function typedSecret(what: string, firstLine: () => Promise<string>): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const secret = await askUnseen(`${what}: `);
  if (secret !== (await askUnseen('The same again: '))) throw new PreavisError('usage', 'the two are not the same');

  return secret;
}
