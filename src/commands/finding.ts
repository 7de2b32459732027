/** What `preavis check` says of one thing. A warning is for people to judge: nothing is broken. */
export type Finding =
  | {
      check: string;
      ok: true;
      /** Which of several it is. */
      about?: string;
      warning?: string;
      /** What was seen, by name. */
      facts?: Readonly<Record<string, string>>;
      /** What could be better though nobody asks for it. */
      notes?: readonly string[];
    }
  | { check: string; ok: false; about?: string; code: string; problem: string; hint: string };
