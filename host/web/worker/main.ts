import wasmUrl from "../../../build/ntru/ntruhps2048677.wasm?url";
import { isMedcloudletError, systemClock } from "../../base/index.ts";
import { loadNtru } from "../../ntru/index.ts";
import { createSealingSuite } from "../../sealing/index.ts";
import { createDesk, type Desk } from "./desk.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

async function openDesk(): Promise<Desk> {
  const module = await fetch(wasmUrl);
  const suite = createSealingSuite(await loadNtru("ntruhps2048677", { module }));
  return createDesk({
    suite,
    clock: systemClock,
    tell: (told) => {
      const given =
        told.told === "series"
          ? told.updates.flatMap(({ times, values }) => [times.buffer, values.buffer])
          : [];
      scope.postMessage(told, given);
    },
  });
}

const desk = openDesk();

async function answer({ question, ask }: ToWorker): Promise<unknown> {
  const open = await desk;
  switch (question) {
    case "logIn":
      return open.logIn(ask);
    case "show":
      open.show(ask.streamId);
      return null;
    case "logOut":
      await open.logOut();
      return null;
  }
}

scope.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  const { id } = data;
  const reply = (message: FromWorker) => scope.postMessage(message);
  try {
    reply({ id, answer: await answer(data) });
  } catch (error) {
    const fault = isMedcloudletError(error)
      ? { code: error.code, message: error.message, status: error.status }
      : { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), status: 500 };
    reply({ id, fault });
  }
};
