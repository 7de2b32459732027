/** A part that is started, where it has to be, and stopped. */
export type Component = { start?(): unknown; stop(): void | Promise<void> };

/** What was started, to be stopped in the reverse order. */
export class ReleaseStack {
  readonly #failed: (thrown: unknown) => void;
  readonly #components: Component[] = [];
  #released: Promise<void> | undefined;

  /** @param failed given what a stop throws; the others are stopped all the same */
  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  /** Starts it, and gives it back. One whose start fails is stopped by `release`, too. Throws what the start throws. */
  async use<T extends Component>(component: T): Promise<T> {
    this.#components.push(component);
    await component.start?.();

    return component;
  }

  /** Stops all, newest first, one after the other. Idempotent; never rejects. */
  release(): Promise<void> {
    this.#released ??= this.#release();

    return this.#released;
  }

  async #release(): Promise<void> {
    for (let next = this.#components.pop(); next !== undefined; next = this.#components.pop()) {
      try {
        await next.stop();
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }
}
