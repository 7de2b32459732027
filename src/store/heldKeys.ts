/**
 * Data keys of objects, unwrapped, for a while and in memory alone. A player reads a recording in many parts: without this the store would
 * be asked for the wrapped key, and a KMS to unwrap it, for each of them.
 */
export class HeldKeys {
  #keys = new Map<string, Promise<Buffer>>();

  /** A copy, which `forget` does not overwrite: what is being decrypted with it goes on. */
  async of(name: string, unwrap: () => Promise<Buffer>): Promise<Buffer> {
    const keys = this.#keys;
    const others = keys.get(name);
    const known = others ?? unwrap();
    keys.set(name, known);
    try {
      return Buffer.from(await known);
    } catch (thrown) {
      if (keys.get(name) === known) keys.delete(name);
      if (others === undefined) throw thrown;
      // It ended with whoever has asked first: a player leaves one part for another.
      return this.of(name, unwrap);
    }
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Overwrites them. What asks for one afterwards has it unwrapped again. */
  forget(): void {
    const keys = [...this.#keys.values()];
    this.#keys = new Map();
    for (const each of keys) each.then((key) => key.fill(0)).catch(() => undefined);
  }
}
