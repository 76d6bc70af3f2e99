import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AuditEntry, parseEntry } from "../../../host/audit/index.ts";
import {
  createAuditClient,
  type ResearchClient,
  type ResearchRequest,
  verifyReleaseStatement,
} from "../../../host/client/index.ts";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { flatten } from "../../support/leaks.ts";
import {
  consenting,
  type ResearchDesk,
  releaseFolder,
  researchClient,
  startResearch,
  textOf,
} from "../../support/research.ts";
import { dumpOf, type Patient, type Person, type System } from "../../support/system.ts";
import { COMMON, recordOf } from "../e2e/night-release.ts";
import { ANOTHER_ID, createServiceScene, type ServiceScene, STUDIES } from "./service-scene.ts";

const PATIENTS = 8;

describe("releases of the research service", () => {
  let scene: ServiceScene;
  let system: System;
  let desk: ResearchDesk;
  let account: ServiceScene["account"];
  let researcher: Person;
  let client: ResearchClient;
  let patients: readonly Patient[];
  let send: ServiceScene["send"];
  let ticketOf: ServiceScene["ticketOf"];
  let first: ResearchRequest;
  /** Everything that was answered, to look for what must not be in it. */
  const answered: string[] = [];

  beforeAll(async () => {
    scene = await createServiceScene(PATIENTS);
    ({ system, desk, account, researcher, client, patients, send, ticketOf } = scene);
  }, 120_000);
  afterAll(() => scene?.close());

  const made = async (study: string, asked = {}): Promise<ResearchRequest> => {
    const request = await client.settled(await client.request(study, asked), undefined, 20);
    answered.push(JSON.stringify(request));
    return request;
  };
  const code = (wanted: string) => expect.objectContaining({ code: wanted });
  const ownLog = async ({ session }: Person): Promise<AuditEntry[]> =>
    (await createAuditClient(session).mine({ after: 0, limit: 1000 })).entries
      .map(parseEntry)
      .filter((entry): entry is AuditEntry => entry !== null);

  const bytesOf = async (releaseId: string, file: "csv" | "ndjson" | "report") => {
    const { release } = await statementOf(releaseId);
    return textOf(client.download(release, file));
  };
  const statementOf = async (releaseId: string) => {
    const { statement, service } = await client.release(releaseId);
    return verifyReleaseStatement(statement, await researcher.session.lookUp(service.handle));
  };

  it("gives nothing out of fewer people than k, and does not say how many there are", async () => {
    for (const request of [await made("large"), await made("sleep", { k: 9 })]) {
      expect(request).toMatchObject({ state: "refused", code: "RESEARCH_GUARANTEE_UNMET", release: null });
      expect(request.reason).not.toMatch(/\d/);
    }
    expect((await client.releases()).releases).toEqual([]);
  });

  it("makes a release that whoever has it can hold the service to", async () => {
    const { studies } = await client.studies();
    answered.push(JSON.stringify(studies));
    expect(studies.map(({ id }) => id)).toEqual(STUDIES.map(({ id }) => id));
    expect(studies[0]?.columns.map(({ name }) => name)).toEqual(["birth_year", "sex", "diagnosis"]);

    first = await made("sleep");
    expect(first).toMatchObject({ state: "ready", again: false, reason: null });
    const { release, fingerprint } = await statementOf(first.release as string);
    expect(fingerprint).toBe((await client.studies()).service.fingerprint);
    expect(release).toMatchObject({ study: "sleep", rows: PATIENTS, guarantee: { k: 3, l: 2 } });
    const rows = (await bytesOf(release.release, "ndjson")).trim().split("\n");
    expect(rows).toHaveLength(PATIENTS);
    expect((await bytesOf(release.release, "csv")).trim().split("\n")).toHaveLength(PATIENTS + 1);

    // Somebody else's signature, or another file, is not it.
    const { statement } = await client.release(release.release);
    const stranger = await researcher.session.lookUp("dr-magpie");
    await expect(verifyReleaseStatement(statement, stranger)).rejects.toThrow(code("STATEMENT_INVALID"));
    const swapped = { ...release, files: { ...release.files, csv: release.files.ndjson } };
    await expect(textOf(client.download(swapped, "csv"))).rejects.toThrow(code("RESEARCH_FILE_MISMATCH"));
  });

  it("serves the report as a page that runs nothing", async () => {
    const path = `/releases/${first.release}/files/report`;
    const response = await send(path, await ticketOf(researcher));
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; .*; sandbox$/);
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    const page = await response.text();
    answered.push(page);
    expect(page).toContain("Study sleep");
    expect(page).not.toMatch(/<script|style="|\son\w+=/);
    // Nothing of a k below the floor.
    expect(page).not.toMatch(/<th scope="row">2<\/th>/);
  });

  it("tells every patient in it, in the KDC's log", async () => {
    for (const patient of patients) {
      const log = await ownLog(patient);
      const service = account.person.session.account.accountId;
      const byService = log.filter(({ actor, outcome }) => actor === service && outcome === "success");
      expect(byService.map(({ action }) => action)).toContain("key.release");
      const uses = byService.filter(({ action }) => action === "consent.use");
      expect(uses).toHaveLength(1);
      expect(uses[0]).toMatchObject({
        owner: patient.session.account.accountId,
        details: { release: first.release, study: "sleep", k: 3, people: PATIENTS },
      });
    }
  });

  it("lets nobody write such an entry for a consent that is not given to them", async () => {
    const [patient] = patients as [Patient];
    const [given] = await patient.owner.consents();
    const json = { release: ANOTHER_ID, study: "sleep", k: 3, people: 8 };
    const path = `/consents/${given?.consent.consentId}/uses`;
    const { session } = researcher;
    await expect(session.call(z.unknown(), { method: "POST", path, json })).rejects.toThrow(
      code("CONSENT_MISSING"),
    );
  });

  it("answers the same people with the same file, and not with a new draw", async () => {
    const second = await made("sleep");
    expect(second).toMatchObject({ state: "ready", again: true, release: first.release });
    expect(second.requestId).not.toBe(first.requestId);
    expect((await client.releases("sleep")).releases).toHaveLength(1);
    expect((await client.releases("large")).releases).toEqual([]);
  });

  it("refuses what beside an earlier release would single somebody out, whatever study it is of", async () => {
    const crossed = await made("crossed");
    expect(crossed).toMatchObject({ state: "refused", code: "RESEARCH_NOT_NOW", release: null });
    expect(crossed.reason).not.toMatch(/\d/);
    expect((await client.releases()).releases).toHaveLength(1);
    // Too few people and too telling a difference look alike: or k after k would be asked, to count who consents.
    const { at: _at, updatedAt: _updated, requestId: _id, study: _study, guarantee: _k, ...same } = crossed;
    expect(await made("sleep", { k: PATIENTS + 1 })).toMatchObject(same);
  });

  it("shows a request to whoever made it, and to nobody else", async () => {
    const other = researchClient(system, account.person, desk.running.url);
    await expect(other.requested(first.requestId)).rejects.toThrow(code("RESEARCH_REQUEST_UNKNOWN"));
    expect(await other.release(first.release as string)).toMatchObject({ releaseId: first.release });
  });

  it("refuses one who came and one who left, until others hide them", async () => {
    const newcomer = await consenting(
      system,
      "newcomer",
      recordOf("Newcomer", 1963, "female", COMMON[0]),
      account,
    );
    expect(await made("sleep")).toMatchObject({ state: "refused", code: "RESEARCH_NOT_NOW" });

    const [leaver] = patients as [Patient];
    for (const { consent } of await leaver.owner.consents()) {
      await leaver.owner.revoke(consent.consentId);
    }
    // Whoever withdrew is not read any more: their log ends with the attempt before.
    const before = (await ownLog(leaver)).filter(({ action }) => action === "key.release").length;
    expect(await made("sleep")).toMatchObject({ state: "refused", code: "RESEARCH_NOT_NOW" });
    expect((await ownLog(leaver)).filter(({ action }) => action === "key.release")).toHaveLength(before);

    // Where others may be held back, the leaver takes some along and the newcomer waits.
    const held = await made("patient-people");
    expect(held).toMatchObject({ state: "ready", again: false });
    const { release } = await statementOf(held.release as string);
    expect(release.rows).toBeLessThan(PATIENTS - 1);
    const told = async (patient: Person) =>
      (await ownLog(patient)).some(
        ({ action, details }) => action === "consent.use" && details.release === held.release,
      );
    expect(await told(leaver)).toBe(false);
    expect(await told(newcomer)).toBe(false);
    const others = await Promise.all(patients.slice(1).map(told));
    expect(others.filter((one) => one)).toHaveLength(release.rows);
  }, 60_000);

  it("makes nothing of half the people while the cloud is away", async () => {
    const away = await startResearch(
      { ...system, cloud: { ...system.cloud, url: "http://127.0.0.1:9" } },
      {
        ...{ person: account.person, studies: STUDIES, folder: await releaseFolder() },
        store: createEmbeddedStore({ directory: await releaseFolder() }),
      },
    );
    try {
      const there = researchClient(system, researcher, away.running.url);
      const request = await there.settled(await there.request("sleep"), undefined, 20);
      expect(request).toMatchObject({ state: "failed", code: "RESEARCH_SOURCE_UNAVAILABLE" });
    } finally {
      await away.running.close();
    }
  });

  it("makes one release of a study at a time, and takes so many requests of one researcher and no more", async () => {
    const limited = await startResearch(system, {
      ...{ person: account.person, studies: STUDIES, folder: await releaseFolder() },
      store: createEmbeddedStore({ directory: await releaseFolder() }),
      requestLimit: { points: 3, seconds: 3600 },
    });
    try {
      const there = researchClient(system, researcher, limited.running.url);
      const other = researchClient(system, account.person, limited.running.url);
      const running = await there.request("sleep");
      await expect(other.request("sleep")).rejects.toThrow(code("RESEARCH_BUSY"));
      expect((await there.request("sleep")).requestId).toBe(running.requestId);
      await there.settled(running, undefined, 20);
      await there.settled(await there.request("sleep"), undefined, 20);
      await expect(there.request("sleep")).rejects.toThrow(code("RATE_LIMITED"));
      // Others have their own count, and what is there can still be looked at.
      await expect(other.request("sleep")).resolves.toMatchObject({ study: "sleep" });
      await expect(there.releases()).resolves.toMatchObject({ releases: [{ study: "sleep" }] });
      await limited.service.desk.settled();
    } finally {
      await limited.running.close();
    }
  });

  it("leaves no name and no id of a patient in its folder, its store, its answers or its log", async () => {
    const files = await readdir(desk.folder, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "utf8")),
    );
    expect(texts.length).toBeGreaterThanOrEqual(6);
    const dump = (await dumpOf(desk.store)).map(({ document }) => flatten(document));
    expect(dump.length).toBeGreaterThan(3);
    const lines = system.logLines.filter((line) => line.includes('"service":"research"'));
    expect(lines.length).toBeGreaterThan(10);
    // The row that somebody is in is there, generalised.
    expect(texts.join()).toContain(COMMON[0]);
    for (const [where, text] of [
      ["files", texts.join("\n")],
      ["store", dump.join("\n")],
      ["answers", answered.join("\n")],
      ["log", lines.join("\n")],
    ] as const) {
      for (const [i, { session, owner }] of patients.entries()) {
        const { accountId, handle } = session.account;
        const streams = owner.epochs.map(({ streamId }) => streamId);
        for (const secret of [accountId, handle, `Quillfeather-${i}`, "Nobody", ...streams]) {
          expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
        }
      }
    }
  });
});
