import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../support/stores.ts";
import { PASSWORD, type Person, type System, startSystem } from "../../../support/system.ts";
import { ATTACK, ask, attackFrom, heldAgainst, kdcFrom, keptOf, officerAt } from "./world.ts";

let lastAddress = 0;
const freshAddress = () => `198.51.100.${++lastAddress}`;
const JSON_TYPE = { "Content-Type": "application/json" };

/** A request as bytes go over the wire: `fetch` would mend the path. */
function raw(system: System, path: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(system.kdc.url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe.each(backends())("attacks on the intrusion detection itself, on the $name store", (backend) => {
  let system: System;
  let officer: Person;

  beforeAll(async () => {
    system = await startSystem(backend, { trustProxies: 1, ids: { mode: "enforce" } });
    officer = await system.person("security-officer", "officer");
  });
  afterAll(() => system?.stop());

  /** How many attacks the engine was told of, by the metrics. */
  const found = async (service: "kdc" | "cloud" = "kdc"): Promise<number> => {
    const kept = await keptOf(system, service, "events");
    return kept.filter(({ event }) => (event as { kind: string }).kind === "attack-found").length;
  };
  const foundAfter = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await found();
    await work();
    await system.services.kdc.ids.settled();
    return (await found()) - before;
  };

  it.each([
    ["percent", "/v1/directory/x?q=%27%20UNION%20SELECT%20password%20FROM%20users--"],
    ["double percent", "/v1/directory/x?q=%2527%2520UNION%2520SELECT%2520password%2520FROM%2520users--"],
    ["%u of IIS", "/v1/directory/x?q=%u0027%20UNION%20SELECT%20password%20FROM%20users--"],
    ["comments for blanks", "/v1/directory/x?q=%27/**/UNION/**/SELECT/**/password/**/FROM/**/users--"],
    ["mixed case", "/v1/directory/x?q=%27%20uNiOn%20sElEcT%20password%20fRoM%20users--"],
    [
      "full-width letters",
      `/v1/directory/x?q=%27%20${encodeURIComponent("ＵＮＩＯＮ ＳＥＬＥＣＴ")}%20password%20FROM%20users--`,
    ],
    ["overlong UTF-8 in a path", "/v1/..%c0%af..%c0%af..%c0%afetc/passwd"],
    ["dots as escapes", "/v1/%2e%2e/%2e%2e/%2e%2e/etc/passwd"],
    [
      "entities",
      `/v1/directory/x?q=${encodeURIComponent("&#60;script&#62;alert(document.cookie)&#60;/script&#62;")}`,
    ],
    ["a parameter's name", "/v1/directory/x?%27%20UNION%20SELECT%20password%20FROM%20users--=1"],
  ])("are found under an encoding: %s", async (_how, path) => {
    const count = await foundAfter(() => raw(system, path, { "X-Forwarded-For": freshAddress() }));
    expect(count).toBe(1);
  });

  it("are found in headers, and in what the JSON parser made of a body", async () => {
    const payload = "' UNION SELECT password FROM users--";
    expect(
      await foundAfter(() =>
        raw(system, "/v1/nowhere", { "X-Forwarded-For": freshAddress(), Referer: payload }),
      ),
    ).toBe(1);
    const escaped = [...payload].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
    for (const body of [
      `{"handle":"${escaped}","password":"x"}`,
      `{"handle":"x","password":"x","more":{"deep":["${escaped}"]}}`,
      // The last of two counts, for the route and for the detector.
      `{"handle":"x","password":"x","handle":"${escaped}"}`,
    ]) {
      const count = await foundAfter(() =>
        ask(system, "kdc", freshAddress(), "/v1/sessions", { method: "POST", headers: JSON_TYPE, body }),
      );
      expect(count, body).toBe(1);
    }
  });

  it("are not looked for in passwords, codes and tokens, and none of these is written down anywhere", async () => {
    const secret = "' UNION SELECT secret-of-mine FROM users--";
    const count = await foundAfter(async () => {
      await ask(system, "kdc", freshAddress(), "/v1/sessions", {
        method: "POST",
        headers: { ...JSON_TYPE, Authorization: `Bearer ${secret}`, DPoP: secret, Cookie: `a=${secret}` },
        body: JSON.stringify({ handle: "officer", password: secret, code: secret, deviceToken: secret }),
      });
      await ask(system, "kdc", freshAddress(), "/v1/recoveries", {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify({ handle: "officer", proof: secret, newPassword: secret }),
      });
    });
    expect(count).toBe(0);
    const everything = [
      ...system.logLines,
      ...(await Promise.all(
        (["alerts", "decisions", "events"] as const).map((what) => keptOf(system, "kdc", what)),
      )),
    ];
    expect(JSON.stringify(everything)).not.toContain("secret-of-mine");
  });

  it("forge no line of the log, of the store or of what officers follow by a parameter's name", async () => {
    const address = freshAddress();
    const name = encodeURIComponent('x\n{"event":"ids_decision","code":"forged"}\r\ndata: forged\n\n');
    const value = encodeURIComponent("' UNION SELECT password FROM users--");
    await raw(system, `/v1/directory/x?${name}=${value}`, { "X-Forwarded-For": address });
    await system.services.kdc.ids.settled();
    for (const line of system.logLines) {
      expect(line.trimEnd()).not.toContain("\n");
      expect(() => JSON.parse(line)).not.toThrow();
    }
    expect(JSON.stringify([system.logLines, await keptOf(system, "kdc", "alerts")])).not.toContain("forged");
  });

  it("by huge headers and parameters cost little and break nothing", async () => {
    const address = freshAddress();
    const long = "a'".repeat(6000);
    expect(await raw(system, "/v1/nowhere", { "X-Forwarded-For": address, "X-Long": long })).toBe(404);
    expect(await raw(system, `/v1/nowhere?${"q=1&".repeat(3000)}`, { "X-Forwarded-For": address })).toBe(404);
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`X-H${i}`, "' or 1=1"]));
    expect(await raw(system, "/v1/nowhere", many)).toBeLessThan(500);
    // Beyond 16 KB Node refuses before anybody looks.
    expect(await raw(system, "/v1/nowhere", { "X-Long": "a".repeat(20_000) })).toBe(431);
    expect((await fetch(`${system.kdc.url}/livez`)).status).toBe(200);
  });

  it("by failing somebody's logins from everywhere never lock the owner out", async () => {
    const patient = await system.patient("victim-vole", "Somebody Real");
    const { token, expiresAt } = patient.session;
    const home = freshAddress();
    const known = await kdcFrom(system, home).login("victim-vole", PASSWORD);
    for (let i = 0; i < 24; i++) {
      await kdcFrom(system, `192.0.2.${i}`)
        .login("victim-vole", "wrong password 1")
        .catch(() => {});
    }
    await system.services.kdc.ids.settled();
    const kinds = (await keptOf(system, "kdc", "decisions")).map(({ kind }) => kind);
    expect(kinds).toContain("account");
    // Strangers' tries on this handle are slowed down …
    const codes = [];
    for (let i = 0; i < 4; i++) {
      const tried = kdcFrom(system, freshAddress()).login("victim-vole", "wrong password 2");
      codes.push(await tried.catch((error) => error.code));
    }
    expect(codes.at(-1)).toBe("IDS_THROTTLED");
    // … and nothing against the owner's session, from anywhere, nor against a program that was there before.
    const session = await kdcFrom(system, freshAddress()).resume({ token, expiresAt });
    expect(await session.epochs()).toEqual([]);
    for (let i = 0; i < 8; i++) {
      await kdcFrom(system, home).login("victim-vole", PASSWORD, {
        deviceToken: known.deviceToken as string,
      });
    }
    // After a while a stranger's right password counts again.
    system.clock.advance(3 * 3_600_000);
    await expect(kdcFrom(system, freshAddress()).login("victim-vole", PASSWORD)).resolves.toHaveProperty(
      "token",
    );
  });

  it("by operators in the officer's queries are refused, and change no condition", async () => {
    const at = await officerAt(system, "kdc", officer);
    for (const query of [
      "rule[$ne]=x",
      "rule[$regex]=.*",
      "rule[]=x",
      "kind=source&kind=account",
      "subject=%7B%22$ne%22:null%7D",
      "rule=$where",
      "limit=1000000",
      "limit[$gt]=0",
      "before=1:x",
      "before=$ne",
      "since=-1",
      "state[$ne]=all",
      "__proto__=x",
    ]) {
      for (const list of ["alerts", "decisions", "appeals"]) {
        await expect(at.get(`/${list}?${query}`), `${list} ${query}`).rejects.toMatchObject({
          code: "REQUEST_INVALID",
        });
      }
    }
    await expect(at.get("/decisions/[$ne]")).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("by pages: every decision comes once, newest first", async () => {
    for (let i = 0; i < 3; i++) {
      await attackFrom(system, "cloud", freshAddress());
    }
    await system.services.cloud.ids.settled();
    const at = await officerAt(system, "cloud", officer);
    const seen: { id: string; at: number }[] = [];
    for (let before = ""; ; ) {
      const page = await at.get<{ decisions: { id: string; at: number }[]; next: string | null }>(
        `/decisions?state=all&limit=1${before}`,
      );
      seen.push(...page.decisions);
      if (page.next === null) {
        break;
      }
      before = `&before=${page.next}`;
    }
    expect(seen.length).toBe((await keptOf(system, "cloud", "decisions")).length);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.map((decision) => decision.at)).toEqual(
      seen.map((decision) => decision.at).sort((a, b) => b - a),
    );
  });

  it("by who is no officer are refused, also with another's ticket", async () => {
    const at = await officerAt(system, "kdc", officer);
    const patient = await system.patient("curious-cat", "Somebody Real");
    const stolen = { ticket: at.ticket.ticket, key: patient.keys.signing };
    for (const credentials of [undefined, { session: patient.session.token }, stolen]) {
      const url = `${system.kdc.url}/v1/ids/decisions`;
      await expect(
        at.http.json({ method: "GET", url, ...(credentials === undefined ? {} : { credentials }) }),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^TICKET_/) });
    }
  });
});

describe.each(backends())("a page that its visitors' browsers attack for, on the $name store", (backend) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(backend, { trustProxies: 1, ids: { mode: "enforce" } });
  });
  afterAll(() => system?.stop());

  it.each([
    ["an image", ATTACK, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" }],
    ["a link", ATTACK.replace("/v1/", "/"), { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" }],
  ])("has nothing held against a visitor's clinic, by %s", async (_by, path, headers) => {
    const clinic = freshAddress();
    for (let i = 0; i < 12; i++) {
      const answer = await ask(system, "kdc", clinic, `${path}${i}`, { headers });
      expect(await answer.json()).toMatchObject({
        code: path.startsWith("/v1/") ? "REQUEST_CROSS_SITE" : "ROUTE_NOT_FOUND",
      });
    }
    expect(await heldAgainst(system, "kdc", clinic)).toBeNull();
  });

  it("and saying so of oneself gets nobody past what is held against them, nor to any route", async () => {
    const address = freshAddress();
    await attackFrom(system, "kdc", address);
    const headers = { ...JSON_TYPE, "Sec-Fetch-Site": "cross-site" };
    const body = JSON.stringify({ handle: "somebody", password: PASSWORD });
    for (const path of ["/v1/sessions", "/V1/sessions", "/v1/sessions/", "/v1//../v1/sessions"]) {
      const answer = await ask(system, "kdc", address, path, { method: "POST", headers, body });
      expect(await answer.json()).toMatchObject({ code: "REQUEST_CROSS_SITE" });
    }
  });
});

describe.each(backends())("a service with no proxy in front, on the $name store", (backend) => {
  let system: System;
  afterAll(() => system?.stop());

  it("takes no client's word for another's address, so nobody gets a peer or a patient banned", async () => {
    system = await startSystem(backend, { ids: { mode: "enforce", exemptLoopback: false } });
    const victim = "192.0.2.99";
    for (let i = 0; i < 4; i++) {
      await ask(
        system,
        "cloudlet",
        victim,
        `/v1/nowhere?q=1'%20UNION%20SELECT%20password%20FROM%20users--${i}`,
      );
    }
    await system.services.cloudlet.ids.settled();
    // What is held is held against where the requests really came from.
    const decisions = await keptOf(system, "cloudlet", "decisions");
    const subjects = new Set(decisions.map(({ local }) => local));
    expect(subjects.size).toBe(1);
    expect(await heldAgainst(system, "cloudlet", "10.9.8.7")).toMatch(/^IDS_/);
    expect((await ask(system, "cloudlet", victim, "/livez")).status).toBe(200);
  });
});
