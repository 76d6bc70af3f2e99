import {
  type Credentials,
  createHttpClient,
  type HeldTicket,
  type ResearchClient,
} from "../../../host/client/index.ts";
import {
  COLUMNS,
  consenting,
  type ResearchDesk,
  releaseFolder,
  researchClient,
  startResearch,
  studyOf,
} from "../../support/research.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type Person, type System, startSystem } from "../../support/system.ts";
import { COMMON, recordOf } from "../e2e/night-release.ts";

/** An id of nothing. */
export const ANOTHER_ID = "0".repeat(32);
export const STUDIES = [
  studyOf("sleep"),
  // The same people cut another way: with the first it would tell more than either.
  studyOf("crossed", { schema: { columns: [COLUMNS[0], COLUMNS[1], COLUMNS[3]] } }),
  studyOf("patient-people", { floor: { k: 3, l: 1, t: 1 }, holdBack: true }),
  studyOf("large", { floor: { k: 50, l: 2, t: 1 } }),
];

/** A system with a research service, a researcher, and patients who consent to research. */
export interface ServiceScene {
  readonly system: System;
  readonly desk: ResearchDesk;
  /** What the service reads as. */
  readonly account: { readonly handle: string; readonly person: Person };
  readonly researcher: Person;
  /** The researcher's. */
  readonly client: ResearchClient;
  readonly patients: readonly Patient[];
  /** Any request to the service; with `json` a POST. */
  send(path: string, credentials?: Credentials, json?: unknown): Promise<Response>;
  ticketOf(person: Person): Promise<HeldTicket>;
  close(): Promise<void>;
}

/** @param people how many patients consent; the i-th is called `Quillfeather-i` */
export async function createServiceScene(people: number): Promise<ServiceScene> {
  const backend = backends()[0] as ReturnType<typeof backends>[number];
  const system = await startSystem(backend);
  const account = { handle: "sleep-lab", person: await system.person("researcher", "sleep-lab") };
  const researcher = await system.person("researcher", "dr-magpie");
  const patients: Patient[] = [];
  for (let i = 0; i < people; i++) {
    const sex = i % 2 === 0 ? "female" : "male";
    const record = recordOf(`Quillfeather-${i}`, 1950 + 5 * i, sex, COMMON[i % COMMON.length] as string);
    patients.push(await consenting(system, `sleeper-${i}`, record, account));
  }
  const desk = await startResearch(system, {
    ...{ person: account.person, folder: await releaseFolder(), studies: STUDIES },
    store: await backend.open("research"),
  });
  const http = createHttpClient({ clock: system.clock });
  return {
    ...{ system, desk, account, researcher, patients },
    client: researchClient(system, researcher, desk.running.url),
    send: (path, credentials, json) =>
      http.send({
        method: json === undefined ? "GET" : "POST",
        url: `${desk.running.url}/v1${path}`,
        ...(credentials === undefined ? {} : { credentials }),
        ...(json === undefined ? {} : { json }),
      }),
    ticketOf: ({ session, keys }) => session.staffTicket(keys.signing),
    async close() {
      await desk.running.close();
      await system.stop();
    },
  };
}
