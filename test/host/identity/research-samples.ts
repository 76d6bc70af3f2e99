import type { Action, Role } from "../../../host/identity/index.ts";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import {
  type ResearchDesk,
  releaseFolder,
  researchClient,
  startResearch,
  studyOf,
} from "../../support/research.ts";
import type { Person, System } from "../../support/system.ts";
import { someId } from "../http/attack.ts";
import type { Sample } from "./policy-samples.ts";

const nothing: Sample = () => ({});
/** Of releases there is none: who may ask learns that, and who may not is refused before. */
const passes = ["RESEARCH_RELEASE_UNKNOWN"];
const unknown = "0".repeat(32);

/** A research service and two requests to it. */
export interface ResearchPlay {
  readonly desk: ResearchDesk;
  /** By the researcher who plays the part. */
  readonly own: string;
  /** By another, who is the service's own account. */
  readonly foreign: string;
}

/** The service has nobody's consent: each request is refused at once. */
export async function createResearchPlay(
  system: System,
  people: Readonly<Partial<Record<Role, Person>>>,
): Promise<ResearchPlay> {
  const person = await system.person("researcher", "some-laboratory");
  const desk = await startResearch(system, {
    ...{ person, folder: await releaseFolder(), studies: [studyOf("one"), studyOf("two")] },
    store: createEmbeddedStore({ directory: await releaseFolder() }),
  });
  const by = async (asking: Person, study: string) =>
    (await researchClient(system, asking, desk.running.url).request(study)).requestId;
  return { desk, own: await by(people.researcher as Person, "one"), foreign: await by(person, "two") };
}

export const RESEARCH_SAMPLES = {
  "consent.use": ({ grants }, { patient }, caller) => ({
    path: `/consents/${grants.get(`${patient.session.account.accountId} ${caller?.session.account.accountId}`) ?? someId()}/uses`,
    json: { release: unknown, study: "one", k: 3, people: 8 },
  }),
  "research.studies": nothing,
  "research.request": () => ({ path: "/studies/one/requests", json: {}, passes: ["RESEARCH_BUSY"] }),
  "research.show-request": ({ research }, _target, _caller, relation) => ({
    path: `/requests/${relation === "own" ? research.own : research.foreign}`,
  }),
  "research.releases": nothing,
  "research.show-release": () => ({ path: `/releases/${unknown}`, passes }),
  "research.download": () => ({ path: `/releases/${unknown}/files/csv`, passes }),
} satisfies Partial<Record<Action, Sample>>;
