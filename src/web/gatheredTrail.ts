import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { AuditNote } from '../catalogue/retention/auditTrail.ts';
import type { RecordingId } from '../core/ids.ts';

/** Lines are written at most so often, ms. */
const everyMs = 100;

type Line = { recording: RecordingId | null; note: AuditNote };
type Waiting = Line & { done: () => void; failed: (why: unknown) => void };

/**
 * Lines of listeners for the audit trail, many in one step. Each step waits for the disk, and whoever writes into the catalogue meanwhile
 * waits for it: two hundred listeners, each telling what was heard, would hold up the calls. The first line after a pause is written at
 * once; those that come close behind it are written together.
 */
export class GatheredTrail {
  readonly #catalogue: CataloguePart<{ auditTrail: 'appendAll' }>;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(catalogue: CataloguePart<{ auditTrail: 'appendAll' }>) {
    this.#catalogue = catalogue;
  }

  /** Resolves when the line is on the disk. Throws what the catalogue throws. */
  readonly append = (recording: RecordingId | null, note: AuditNote): Promise<void> =>
    new Promise((done, failed) => {
      this.#waiting.push({ recording, note, done, failed });
      if (!this.#isWriting) void this.#write();
    });

  async #write(): Promise<void> {
    this.#isWriting = true;
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      await this.#catalogue.auditTrail.appendAll(lines.map(({ recording, note }) => ({ recording, note })));
      for (const { done } of lines) done();
    } catch (thrown) {
      for (const { failed } of lines) failed(thrown);
    }
    setTimeout(() => {
      this.#isWriting = false;
      if (this.#waiting.length > 0) void this.#write();
    }, everyMs);
  }
}
