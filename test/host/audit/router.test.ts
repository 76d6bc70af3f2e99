import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { entryHash, parseEntry, verifyLog } from "../../../host/audit/index.ts";
import { fromBase64Url } from "../../../host/base/index.ts";
import { type AuditClient, createAuditClient } from "../../../host/client/index.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type Person, type System, startSystem } from "../../support/system.ts";
import { codeOf } from "../store/subject.ts";

describe.each(backends())("the audit log over HTTP, on the $name store", (backend) => {
  let system: System;
  let officer: Person;
  let ada: Patient;
  let bo: Patient;
  let audit: AuditClient;
  const idOf = ({ session }: Person) => session.account.accountId;

  beforeAll(async () => {
    system = await startSystem(backend);
    officer = await system.person("security-officer", "officer");
    ada = await system.patient("ada", "Ada");
    bo = await system.patient("bo-b", "Bo");
    audit = createAuditClient(officer.session);
  });
  afterAll(() => system?.stop());

  it("gives a security officer everything that the verifier needs, page by page", async () => {
    const { log, key, keyStatements, head } = await audit.head();
    const entries: unknown[] = [];
    for (;;) {
      const page = await audit.page({ after: entries.length, limit: 3 });
      entries.push(...page.entries);
      if (page.entries.length < 3 || entries.length > 500) {
        break;
      }
      if (entries.length > 30) {
        break; // each page adds an entry: a reader goes by the head, not until a page is empty
      }
    }
    const heads = (await audit.heads({ after: 0, limit: 1000 })).map(({ statement }) => statement);
    const upTo = entries.length;
    const fitting = [];
    for (const statement of [...heads, head]) {
      const { sequence } = JSON.parse(Buffer.from(statement.split(".")[1] ?? "", "base64url").toString());
      if (sequence <= upTo) {
        fitting.push(statement);
      }
    }
    const report = await verifyLog({
      log,
      entries,
      heads: fitting,
      keyStatements,
      keys: [fromBase64Url(key)],
    });
    expect(report).toMatchObject({ damage: null, entries: upTo });
    expect(report.heads).toBeGreaterThan(0);
  });

  it("gives everybody what is about them or done by them, and nothing else", async () => {
    const client = createAuditClient(ada.session);
    const { entries } = await client.mine({ after: 0, limit: 1000 });
    expect(entries.length).toBeGreaterThan(1);
    for (const raw of entries) {
      const entry = parseEntry(raw);
      expect(entry?.owner === idOf(ada) || entry?.actor === idOf(ada)).toBe(true);
      expect(entry?.hash).toBe(entry === null ? "" : entryHash(entry));
    }
    expect(JSON.stringify(entries)).not.toContain(idOf(bo));
  });

  it("logs that somebody read their own log, and who was refused the log of all", async () => {
    const mine = createAuditClient(ada.session);
    await mine.mine({ after: 0, limit: 5 });
    expect(await codeOf(mine.page({ after: 0, limit: 5 }))).toBe("ROLE_FORBIDDEN");
    expect(await codeOf(mine.heads({ after: 0, limit: 5 }))).toBe("ROLE_FORBIDDEN");
    const { entries } = await mine.mine({ after: 0, limit: 1000 });
    expect(entries.slice(-3)).toMatchObject([
      {
        action: "audit.mine",
        actor: idOf(ada),
        owner: idOf(ada),
        outcome: "success",
        details: { after: 0, limit: 5 },
      },
      { action: "audit.read", actor: idOf(ada), outcome: "refused", code: "ROLE_FORBIDDEN" },
      { action: "audit.read", actor: idOf(ada), outcome: "refused", code: "ROLE_FORBIDDEN" },
    ]);
    await audit.page({ after: 0, limit: 1 });
    const all = await audit.page({ after: 0, limit: 1000 });
    expect(all.entries.at(-1)).toMatchObject({
      action: "audit.read",
      actor: idOf(officer),
      outcome: "success",
    });
  });

  it("gives a head to whoever is logged in and not to strangers", async () => {
    const head = await createAuditClient(bo.session).head();
    expect(head).toMatchObject({ log: expect.stringMatching(/^[0-9a-f]{32}$/), keyStatements: [] });
    const answer = await fetch(`${system.kdc.url}/v1/audit/head`);
    expect(answer.status).toBe(401);
  });

  it("refuses pages that are none", async () => {
    for (const query of [
      "after=-1",
      "after=1.5",
      "limit=0",
      "limit=1001",
      "after[$gt]=",
      "after=1&after=2",
      "owner=x",
      `about=${idOf(bo)}`,
      "after=9007199254740993",
    ]) {
      for (const path of ["/audit/mine", "/audit", "/audit/heads"]) {
        const call = officer.session.call(z.unknown(), { method: "GET", path: `${path}?${query}` });
        expect(await codeOf(call), `${path}?${query}`).toBe("REQUEST_INVALID");
      }
    }
  });
});
