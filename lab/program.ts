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

/** Runs `work`; then stops its parts. An error becomes one message and exit code 1, never a stack trace. */
export async function runProgram(name: string, work: (program: Program) => Promise<void>): Promise<void> {
  const parts: Part[] = [];
  const complain = (thrown: unknown): void => {
    process.stderr.write(`${name}: ${wordsOf(thrown)}\n`);
    process.exitCode = 1;
  };
  let isAsked = false;
  const asked = new Promise<void>((resolve) => {
    const ask = (): void => {
      isAsked = true;
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, ask);
    // Nobody reads any more, as behind `| head`.
    process.stdout.on('error', ask);
  });
  const refuse = (): never => {
    throw new Error(`The ${name} was interrupted.`);
  };
  try {
    await work({
      asked,
      keep: async (part) => {
        const started = await part;
        parts.push(started);

        return isAsked ? refuse() : started;
      },
      unlessAsked: (promise) => Promise.race([promise, asked.then(refuse)]),
    });
  } catch (error) {
    complain(error);
  }
  for (const part of parts.reverse()) await part.stop().catch(complain);
}
