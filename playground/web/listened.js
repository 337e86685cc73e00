// Something that can be listened to.

export class Listened {
  #listeners = new Map();

  /** Call `fn(detail)` at every event of this type; returns the function that ends it. */
  on(type, fn) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(fn);
    return () => this.#listeners.get(type).delete(fn);
  }

  emit(type, detail) {
    for (const fn of [...(this.#listeners.get(type) ?? [])]) fn(detail);
  }
}
