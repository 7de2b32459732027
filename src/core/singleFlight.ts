/** Asks once for all who ask before the answer has come; who asks after it gets a new one. */
export function singleFlight<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;

  return () => {
    answer ??= ask().finally(() => {
      answer = undefined;
    });

    return answer;
  };
}
