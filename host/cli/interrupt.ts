/**
 * Fulfils at the first SIGINT or SIGTERM. A second one ends the process at once, for somebody who will not wait for
 * running work to end.
 */
export function untilInterrupted(onSignal?: (signal: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let interrupted = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (interrupted) {
          process.exit(130);
        }
        interrupted = true;
        onSignal?.(signal);
        resolve();
      });
    }
  });
}

/** An abort signal that the first interrupt fires. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  untilInterrupted().then(() => controller.abort());
  return controller.signal;
}
