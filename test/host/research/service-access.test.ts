import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createHttpClient, type ResearchClient } from "../../../host/client/index.ts";
import { createTicketIssuer } from "../../../host/identity/index.ts";
import { generateSigningSeed, importSigningKey, keyThumbprint } from "../../../host/sealing/index.ts";
import { COLUMNS, studyOf } from "../../support/research.ts";
import { type Patient, type Person, type System, ticketKeyRing } from "../../support/system.ts";
import { ANOTHER_ID, createServiceScene, type ServiceScene } from "./service-scene.ts";

describe("who gets in at the research service", () => {
  let scene: ServiceScene;
  let system: System;
  let researcher: Person;
  let client: ResearchClient;
  let patients: readonly Patient[];
  let send: ServiceScene["send"];
  let ticketOf: ServiceScene["ticketOf"];
  beforeAll(async () => {
    scene = await createServiceScene(1);
    ({ system, researcher, client, patients, send, ticketOf } = scene);
  });
  afterAll(() => scene?.close());

  const code = (wanted: string) => expect.objectContaining({ code: wanted });

  it("lets nobody in but researchers with a ticket of their own", async () => {
    const doctor = await system.person("doctor", "dr-heron");
    const officer = await system.person("security-officer", "officer-crane");
    await expect(ticketOf(doctor)).rejects.toThrow(code("ROLE_FORBIDDEN"));
    const [patient] = patients as [Patient];
    const stream = patient.owner.epochs[0]?.streamId as string;
    const read = await patient.session.readTicket(stream, patient.keys.signing);
    const mine = await ticketOf(researcher);
    const stolen = { ticket: mine.ticket, key: await importSigningKey(generateSigningSeed()) };
    for (const [credentials, refused] of [
      [undefined, "TICKET_MISSING"],
      [{ session: doctor.session.token }, "TICKET_MISSING"],
      [{ session: researcher.session.token }, "TICKET_MISSING"],
      [await ticketOf(officer), "TICKET_SCOPE"],
      [await ticketOf(system.operator), "TICKET_SCOPE"],
      [read, "TICKET_INVALID"],
      [stolen, "TICKET_HOLDER_MISMATCH"],
    ] as const) {
      await expect(send("/studies", credentials), refused).rejects.toThrow(code(refused));
      await expect(send("/studies/sleep/requests", credentials, {}), refused).rejects.toThrow(code(refused));
      await expect(send(`/releases/${ANOTHER_ID}/files/csv`, credentials)).rejects.toThrow(code(refused));
    }
  });

  it("refuses a ticket of another KDC, and one that ran out", async () => {
    const key = await importSigningKey(generateSigningSeed());
    const issuer = createTicketIssuer(await ticketKeyRing(system.clock), system.clock);
    const cnf = { jkt: await keyThumbprint(key.publicKey) };
    const { ticket } = await issuer.issue({ scope: "research", staff: ANOTHER_ID, cnf });
    await expect(send("/studies", { ticket, key })).rejects.toThrow(code("TICKET_KEY_UNKNOWN"));

    const old = await ticketOf(researcher);
    system.clock.advance(6 * 60_000);
    await expect(send("/studies", old)).rejects.toThrow(code("TICKET_EXPIRED"));
  });

  it("gives researchers a ticket that opens nothing elsewhere", async () => {
    const stream = patients[0]?.owner.epochs[0]?.streamId;
    for (const [url, path, refused] of [
      [system.cloud.url, `/streams/${stream}/batches`, "TICKET_INVALID"],
      [system.cloud.url, "/ids/alerts", "TICKET_SCOPE"],
      [system.cloudlet.url, "/ids/alerts", "TICKET_SCOPE"],
      [system.kdc.url, "/ids/alerts", "TICKET_SCOPE"],
      [system.kdc.url, "/grants", "SESSION_INVALID"],
    ] as const) {
      const credentials = await ticketOf(researcher);
      const request = { method: "GET", url: `${url}/v1${path}`, credentials } as const;
      await expect(createHttpClient({ clock: system.clock }).send(request), path).rejects.toThrow(
        code(refused),
      );
    }
  });

  it("closes with a researcher's account: no ticket any more, and the last one is over in five minutes", async () => {
    const former = await system.person("researcher", "dr-former");
    const last = await ticketOf(former);
    const officer = await system.login("officer-crane");
    await officer.call(z.unknown(), {
      ...{ method: "PUT", path: "/suspensions/dr-former" },
      json: { suspended: true },
    });
    await expect(ticketOf(former)).rejects.toThrow();
    system.clock.advance(6 * 60_000);
    await expect(send("/studies", last)).rejects.toThrow(code("TICKET_EXPIRED"));
  });

  it("takes no weaker guarantee, no schema and no study of a researcher's own", async () => {
    for (const asked of [{ k: 2 }, { l: 1 }, { k: 10, l: 1.9 }]) {
      await expect(client.request("sleep", asked)).rejects.toThrow(code("RESEARCH_BELOW_FLOOR"));
    }
    const entropic = studyOf("entropic", { floor: { k: 3, l: 2, t: 0.5, diversity: "entropy" } });
    expect(entropic.floor.diversity).toBe("entropy");
    const wrong: object[] = [
      { k: 0 },
      { k: 3.5 },
      { k: "3" },
      { k: 1e12 },
      { t: -1 },
      { l: null },
      { schema: { columns: COLUMNS } },
      { study: "sleep" },
    ];
    for (const asked of wrong) {
      await expect(client.request("sleep", asked), JSON.stringify(asked)).rejects.toThrow(
        expect.objectContaining({ status: 400 }),
      );
    }
    for (const study of ["none", "constructor", "__proto__", "../sleep", "sleep%00", ""]) {
      await expect(client.request(study), study).rejects.toThrow(
        expect.objectContaining({ status: expect.toSatisfy((status) => [400, 404].includes(status)) }),
      );
    }
  });

  it("takes no path for an id", async () => {
    for (const path of [
      "/releases/..%2f..%2fledger-salt",
      "/releases/%2e%2e/files/csv",
      `/releases/${ANOTHER_ID}/files/..%2f..%2fledger-salt`,
      `/releases/${ANOTHER_ID}/files/release.csv`,
      `/releases/${ANOTHER_ID}%00/files/csv`,
      `/releases/${ANOTHER_ID}/files/csv`,
      "/requests/..%2f..%2fstore.db",
      "/requests/%7B%22$ne%22:null%7D",
      "/releases?study[$ne]=x",
      `/requests/${ANOTHER_ID}`,
    ]) {
      await expect(send(path, await ticketOf(researcher)), path).rejects.toThrow(
        expect.objectContaining({ status: expect.toSatisfy((status) => [400, 404].includes(status)) }),
      );
    }
  });
});
