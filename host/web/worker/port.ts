import { MedcloudletError } from "../../base/index.ts";
import workerUrl from "./main.ts?worker&url";
import type { FromWorker, Question, Questions, Told, ToWorker } from "./messages.ts";

/** The page's side of the worker. */
export interface WorkerPort {
  /** @throws MedcloudletError whatever the worker met */
  ask<Q extends Question>(question: Q, ask: Questions[Q]["ask"]): Promise<Questions[Q]["answer"]>;
  /** Hears what the worker says without being asked, until the function that comes back is called. */
  listen(listener: (told: Told) => void): () => void;
  /** Ends the worker: everything that was opened in it is gone. */
  close(): void;
}

interface TrustedPolicy {
  createScriptURL(url: string): string;
}

/** A worker's address is a place to put code in: the policy lets nothing through but the page's own worker. */
function createWorkerPolicy(): TrustedPolicy {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: TrustedPolicy): TrustedPolicy };
  };
  const rules: TrustedPolicy = {
    createScriptURL(given) {
      if (given !== workerUrl) {
        throw new TypeError("not the page's own worker");
      }
      return given;
    },
  };
  return trustedTypes?.createPolicy("medcloudlet", rules) ?? rules;
}

/** Gives what starts a worker. To be called once: a page has several workers in its life, and one policy. */
export function createWorkerStarter(): () => WorkerPort {
  const policy = createWorkerPolicy();
  return () => portOf(new Worker(policy.createScriptURL(workerUrl), { type: "module" }));
}

function portOf(worker: Worker): WorkerPort {
  const waiting = new Map<
    number,
    { readonly done: (answer: never) => void; readonly fail: (error: unknown) => void }
  >();
  const listeners = new Set<(told: Told) => void>();
  let asked = 0;

  const failAll = (message: string): void => {
    const error = new MedcloudletError("PAGE_WORKER", message);
    for (const { fail } of waiting.values()) {
      fail(error);
    }
    waiting.clear();
  };

  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ("told" in data) {
      for (const listener of listeners) {
        listener(data);
      }
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
  worker.onerror = (event) => failAll(`The page's worker stopped: ${event.message}. Reload.`);
  return {
    ask: (question, ask) =>
      new Promise((done, fail) => {
        const id = ++asked;
        waiting.set(id, { done, fail });
        worker.postMessage({ id, question, ask } satisfies ToWorker);
      }),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      worker.terminate();
      failAll("The page was locked.");
    },
  };
}
