import { MedcloudletError } from "../../base/index.ts";
import type { FromWorker, Question, Questions, Told } from "./messages.ts";

/** The page's side of the worker. */
export interface WorkerPort {
  /** @throws MedcloudletError whatever the worker met */
  ask<Q extends Question>(question: Q, ask: Questions[Q]["ask"]): Promise<Questions[Q]["answer"]>;
}

/** Starts the worker; `onTold` hears what it says without being asked. */
export function startWorker(onTold: (told: Told) => void): WorkerPort {
  const worker = new Worker(new URL("./main.ts", import.meta.url), { type: "module" });
  const waiting = new Map<
    number,
    { readonly done: (answer: never) => void; readonly fail: (error: unknown) => void }
  >();
  let asked = 0;
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ("told" in data) {
      onTold(data);
      return;
    }
    const asker = waiting.get(data.id);
    waiting.delete(data.id);
    if ("fault" in data) {
      const { code, message, status } = data.fault;
      asker?.fail(new MedcloudletError(code, message, { status }));
    } else {
      asker?.done(data.answer as never);
    }
  };
  worker.onerror = (event) => {
    const error = new MedcloudletError("PAGE_WORKER", `The page's worker stopped: ${event.message}. Reload.`);
    for (const { fail } of waiting.values()) {
      fail(error);
    }
    waiting.clear();
  };
  return {
    ask: (question, ask) =>
      new Promise((done, fail) => {
        const id = ++asked;
        waiting.set(id, { done, fail });
        worker.postMessage({ id, question, ask });
      }),
  };
}
