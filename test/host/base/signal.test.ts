import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSignal } from "../../../host/base/index.ts";

describe("a signal", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A wait, and whether it has ended by now. */
  function watch(waiting: Promise<void>): { readonly ended: boolean } {
    const state = { ended: false };
    void waiting.then(() => {
      state.ended = true;
    });
    return state;
  }

  it("lets a wait last its time and not longer", async () => {
    const wait = watch(createSignal().wait(1000));
    await vi.advanceTimersByTimeAsync(999);
    expect(wait.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(wait.ended).toBe(true);
  });

  it("ends the current wait and leaves no timer behind", async () => {
    const signal = createSignal();
    const wait = watch(signal.wait(1000));
    await vi.advanceTimersByTimeAsync(10);
    signal.signal();
    await vi.advanceTimersByTimeAsync(0);
    expect(wait.ended).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that came before the wait ends the next one, and only the next", async () => {
    const signal = createSignal();
    signal.signal();
    signal.signal();
    const first = watch(signal.wait(1000));
    await vi.advanceTimersByTimeAsync(0);
    expect(first.ended).toBe(true);
    const second = watch(signal.wait(1000));
    await vi.advanceTimersByTimeAsync(999);
    expect(second.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(second.ended).toBe(true);
  });

  it("that ended a wait does not end the next one as well", async () => {
    const signal = createSignal();
    const first = signal.wait(1000);
    signal.signal();
    await first;
    const second = watch(signal.wait(1000));
    await vi.advanceTimersByTimeAsync(500);
    expect(second.ended).toBe(false);
    signal.signal();
    await vi.advanceTimersByTimeAsync(0);
    expect(second.ended).toBe(true);
  });
});
