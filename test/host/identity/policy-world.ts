import { type Credentials, createIdentity } from "../../../host/client/index.ts";
import type { Endpoint } from "../../../host/http/index.ts";
import {
  type Action,
  ROLES,
  type Role,
  STAFF_SCOPES,
  type StaffScope,
} from "../../../host/identity/index.ts";
import { noteTicketOf, writeTicketOf } from "../../support/records.ts";
import type { Person, System } from "../../support/system.ts";
import { kdcOf, wearerOf } from "../http/attack.ts";
import { newSigningKey } from "../sealing/fixtures.ts";
import { type CommunityPlay, createCommunityPlay } from "./community-samples.ts";
import { grantTo } from "./consent-samples.ts";
import { eraseTicketOf } from "./deletion-samples.ts";
import { createPeer } from "./mesh-samples.ts";
import type { Owned, World } from "./policy-samples.ts";
import { createResearchPlay, type ResearchPlay } from "./research-samples.ts";

export type ServiceName = keyof System["services"] | "research";

/** A route of one of the services. */
export type ServiceEndpoint = Endpoint & { readonly service: ServiceName; readonly action: Action };

/** Somebody who sends requests, and how the policy calls them. */
export interface Caller {
  /** Role, machine, ticket scope, or "anyone". */
  readonly name: string;
  readonly person: Person | null;
  readonly credentials: Credentials | undefined;
}

/** Every route of the three services, and with a research service its own beside them. */
export function endpointsOf({ services }: System, research?: ResearchPlay): ServiceEndpoint[] {
  const all = (Object.keys(services) as (keyof System["services"])[]).flatMap((service) =>
    services[service].endpoints.map((endpoint) => ({ ...endpoint, service: service as ServiceName })),
  );
  // The routes of the detection are one and the same in every service; three times is enough.
  const own = (research?.desk.service.endpoints ?? [])
    .filter(({ action }) => action.startsWith("research."))
    .map((endpoint) => ({ ...endpoint, service: "research" as const }));
  return [...all, ...own].map((endpoint) => ({ ...endpoint, action: endpoint.action as Action }));
}

/** People, machines and what they gave each other: enough for every sample. */
export async function createWorld(system: System): Promise<{ world: World; callers: Caller[] }> {
  const owned = async (handle: string): Promise<Owned> => {
    const { patient, ...sensor } = await wearerOf(system, handle);
    return { patient, sensor };
  };
  const ada = await owned("ada");
  const bo = await owned("bo-b");
  const cy = await owned("cy-c");
  const doctor = await system.doctor("dr-heron");
  const people: Partial<Record<Role, Person>> = { patient: ada.patient, doctor, operator: system.operator };
  for (const role of ROLES) {
    if (role !== "cloudlet") {
      people[role] ??= await system.person(role, `some-${role}`);
    }
  }
  const stranger = await system.doctor("dr-egret");
  const { keys: requesterKeys, statement } = await createIdentity(system.suite, system.clock);
  const requester = { identity: statement, key: requesterKeys.signing };
  const helper = await newSigningKey();
  const grants = new Map<string, string>();
  for (const [owner, readers] of [
    [cy.patient, [doctor, people.researcher as Person, ada.patient]],
    [ada.patient, [stranger]],
    [bo.patient, [stranger]],
  ] as const) {
    for (const reader of readers) {
      const name = `${owner.session.account.accountId} ${reader.session.account.accountId}`;
      grants.set(name, await grantTo(system, owner, reader));
    }
  }
  const community = { member: await newSigningKey(), applicant: await newSigningKey() };
  let play: Promise<CommunityPlay> | undefined;
  const communities = () => {
    play ??= createCommunityPlay(
      system,
      { moderator: people.moderator as Person, named: stranger },
      community,
    );
    return play;
  };
  const research = await createResearchPlay(system, people);
  const world = { system, ada, bo, cy, doctor, stranger, requester, helper, grants, communities, research };
  const { accountId, key: cloudletKey } = system.cloudletAccount;
  const forward = (await kdcOf(system).forwardTicket(accountId, cloudletKey)).ticket;
  const read = await ada.patient.session.readTicket(ada.sensor.streamId, ada.patient.keys.signing);
  const write = await writeTicketOf(ada.patient, ada.sensor.streamId);
  const note = await noteTicketOf(ada.patient, ada.sensor.streamId);
  const erase = await eraseTicketOf(system, ada.patient, ada.sensor.streamId);
  const staff = await Promise.all(
    (Object.keys(STAFF_SCOPES) as StaffScope[]).map(async (name) => {
      const { session, keys } = people[STAFF_SCOPES[name]] as Person;
      const { ticket, key } = await session.staffTicket(keys.signing);
      return { name, person: null, credentials: { ticket, key } };
    }),
  );
  const callers: Caller[] = [
    { name: "anyone", person: null, credentials: undefined },
    ...Object.entries(people).map(([name, person]) => ({ name, person, credentials: undefined })),
    { name: "device", person: null, credentials: { key: ada.sensor.key } },
    { name: "cloudlet", person: null, credentials: { key: cloudletKey } },
    { name: "peer", person: null, credentials: { key: await createPeer(system) } },
    { name: "requester", person: null, credentials: { key: requester.key } },
    { name: "helper", person: null, credentials: { key: helper } },
    { name: "applicant", person: null, credentials: { key: community.applicant } },
    { name: "member", person: null, credentials: { key: community.member } },
    { name: "upload", person: null, credentials: { key: ada.sensor.key, ticket: ada.sensor.ticket } },
    { name: "forward", person: null, credentials: { key: cloudletKey, ticket: forward } },
    { name: "read", person: null, credentials: { key: read.key, ticket: read.ticket } },
    { name: "erase", person: null, credentials: { key: erase.key, ticket: erase.ticket } },
    { name: "note", person: null, credentials: { key: note.key, ticket: note.ticket } },
    { name: "write", person: null, credentials: { key: write.key, ticket: write.ticket } },
    ...staff,
  ];
  return { world, callers };
}
