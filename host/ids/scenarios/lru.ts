/** A map that forgets who was not looked at for the longest time, so that a flood of keys cannot fill the memory. */
export class LruMap<V> {
  private readonly entries = new Map<string, V>();
  private readonly capacity: number;
  /**
   * Stands behind the last key that was dropped. A new iterator would walk over all the holes that dropped keys leave
   * at the front of a Map, thousands of them for every single entry of a flood.
   */
  private front: Iterator<string> = this.entries.keys();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) {
      let oldest = this.front.next();
      if (oldest.done === true) {
        this.front = this.entries.keys();
        oldest = this.front.next();
      }
      this.entries.delete(oldest.value);
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}
