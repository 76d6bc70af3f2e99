import wasmUrl from "../../../build/ntru/ntruhps2048677.wasm?url";
import { isMedcloudletError, MedcloudletError, systemClock } from "../../base/index.ts";
import { loadNtru } from "../../ntru/index.ts";
import { createSealingSuite } from "../../sealing/index.ts";
import { createCommunityDoor } from "./community/door.ts";
import type { Fault, FromWorker, Told, ToWorker } from "./messages.ts";
import { createSessionRoom } from "./session.ts";
import type { Work } from "./work.ts";

type AnswersByName = Readonly<Record<string, ((ask: never) => unknown) | undefined>>;

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

/** What somebody's role lets them ask: a room is fetched when it is entered. */
async function roomOf(work: Work): Promise<object> {
  switch (work.person.role) {
    case "doctor":
      return (await import("./doctor/room.ts")).createDoctorRoom(work);
    case "patient":
      return {
        ...(await (await import("./patient/room.ts")).createPatientRoom(work)),
        ...createCommunityDoor(work),
      };
    case "security-officer":
      return (await import("./officer/room.ts")).createOfficerRoom(work);
    default:
      return {};
  }
}

async function accountRoom(work: Work): Promise<object> {
  return (await import("./account/room.ts")).createAccountRoom(work);
}

function tell(told: Told): void {
  const given =
    told.told === "series" ? told.updates.flatMap(({ times, values }) => [times.buffer, values.buffer]) : [];
  scope.postMessage(told, given);
}

async function open(): Promise<(question: string) => (ask: unknown) => Promise<unknown>> {
  const module = await fetch(wasmUrl);
  const suite = createSealingSuite(await loadNtru("ntruhps2048677", { module }));
  let room: object = {};
  const session = createSessionRoom({
    ...{ suite, clock: systemClock, tell },
    onWork: async (work) => {
      // Until somebody has a second factor, the KDC lets staff do nothing else.
      room = work.person.factorMissing ? {} : { ...(await accountRoom(work)), ...(await roomOf(work)) };
    },
  });
  return (question) => async (ask) => {
    const answers = { ...session, ...room } as AnswersByName;
    const answer = Object.hasOwn(answers, question) ? answers[question] : undefined;
    if (answer === undefined) {
      throw new MedcloudletError("PAGE_QUESTION", "This page asks for what your role has no room for.");
    }
    return answer(ask as never);
  };
}

/** Which fields a service would not take, and why, where it says so: the page shows a message and nothing else. */
function fieldsOf(details: Readonly<Record<string, unknown>> | undefined): string {
  const errors = Array.isArray(details?.errors) ? (details.errors as unknown[]) : [];
  return errors
    .map((error) => (error as { path?: unknown; message?: unknown } | null) ?? {})
    .map(({ path, message }) => ` ${String(path)}: ${String(message)}.`)
    .join("");
}

function faultOf(error: unknown): Fault {
  if (isMedcloudletError(error)) {
    return {
      code: error.code,
      message: `${error.message}${fieldsOf(error.details)}`,
      status: error.status,
    };
  }
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), status: 500 };
}

const opened = open();

scope.onmessage = async ({ data: { id, question, ask } }: MessageEvent<ToWorker>) => {
  const reply = (message: FromWorker) => scope.postMessage(message);
  try {
    reply({ id, answer: await (await opened)(question)(ask) });
  } catch (error) {
    reply({ id, fault: faultOf(error) });
  }
};
