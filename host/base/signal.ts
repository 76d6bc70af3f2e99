/** Something a loop can sleep on until it is told that there is work, or that it shall end. */
export interface Signal {
  /** Ends the current wait, or makes the next one end at once. */
  signal(): void;
  /** Fulfils after `ms`, or as soon as somebody signals. */
  wait(ms: number): Promise<void>;
}

export function createSignal(): Signal {
  let pending = false;
  let release = (): void => {};
  return {
    signal() {
      pending = true;
      release();
    },
    async wait(ms) {
      if (!pending) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, ms);
          release = resolve;
        });
        clearTimeout(timer);
        release = () => {};
      }
      pending = false;
    },
  };
}
