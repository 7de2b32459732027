/** What the programs of the lab share: output, the end by a signal, and the stop of all that they have started. */

export type Part = { stop(): Promise<void> };

export type Program = {
  /** Waits for a part and stops it at the end, the latest part first. Rejects when the user has asked for the end meanwhile. */
  keep<T extends Part>(part: T | Promise<T>): Promise<T>;
  /** Resolves when the user asks for the end: Ctrl-C, SIGTERM, or a terminal that is closed. */
  readonly asked: Promise<void>;
  /** Rejects as soon as the user asks for the end. */
  unlessAsked<T>(work: Promise<T>): Promise<T>;
};

/** Prints one line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The words of what was thrown, without its stack. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** npm and tsx pass on a Ctrl-C that the terminal has sent here as well: what follows so soon is the same one. */
const sameSignalMs = 1_000;

/** Runs `work`; then stops its parts. An error becomes one message and exit code 1, never a stack trace; a second signal ends it at once. */
export async function runProgram(name: string, work: (program: Program) => Promise<void>): Promise<void> {
  const parts: Part[] = [];
  const complain = (thrown: unknown): void => {
    process.stderr.write(`${name}: ${wordsOf(thrown)}\n`);
    process.exitCode = 1;
  };
  let askedAt: number | undefined;
  const asked = new Promise<void>((resolve) => {
    const ask = (): void => {
      askedAt ??= performance.now();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // The clean-up process ends what is left.
        if (askedAt !== undefined && performance.now() - askedAt > sameSignalMs) process.exit(1);
        ask();
      });
    }
    // Nobody reads any more, as behind `| head`.
    process.stdout.on('error', ask);
  });
  const interrupted = new Error(`The ${name} was interrupted.`);
  const refuse = (): never => {
    throw interrupted;
  };
  try {
    await work({
      asked,
      keep: async (part) => {
        const started = await part;
        parts.push(started);

        return askedAt === undefined ? started : refuse();
      },
      unlessAsked: (promise) => Promise.race([promise, asked.then(refuse)]),
    });
  } catch (error) {
    // Ctrl-C also ends the tools that a part is started with: that they fail is no news then.
    complain(askedAt === undefined ? error : interrupted);
  }
  for (const part of parts.reverse()) await part.stop().catch(complain);
}
