import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { createIdentity } from "../../../host/client/index.ts";
import type { SigningKey } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, PASSWORD, type Patient, type System, startSystem } from "../../support/system.ts";
import { expectProblem, leavesNoTrace, replay, signed, someId, strangerKey, wearerOf } from "./attack.ts";

interface JsonRoute {
  readonly path: string;
  /** A body that the route understands, whether or not it does what it asks. */
  readonly valid: Readonly<Record<string, unknown>>;
  /** A session's bearer token, where the route needs one. */
  readonly token?: string;
  /** Asks with a proof of this key. */
  readonly key?: SigningKey;
}

/** What an attacker puts where a string belongs. */
const NOT_STRINGS: readonly unknown[] = [
  { $gt: "" },
  { $ne: null },
  { $regex: ".*" },
  { $where: "sleep(1000)" },
  [],
  ["a"],
  [{ $gt: "" }],
  {},
  null,
  true,
  0,
];

describe.each(backends())("JSON that strangers and members send to the KDC on the $name store", (backend) => {
  let system: System;
  let patient: Patient;
  let doctor: Doctor;
  let routes: JsonRoute[];

  const post = async ({ path, token, key }: JsonRoute, body: string, type = "application/json") => {
    const url = `${system.kdc.url}/v1${path}`;
    const headers: Record<string, string> = { "Content-Type": type };
    if (token !== undefined) {
      headers.Authorization = `Bearer ${token}`;
    }
    if (key === undefined) {
      return fetch(url, { method: "POST", headers, body });
    }
    const recorded = await signed(system, { url, key, headers });
    return replay({ url, init: { ...recorded.init, body } });
  };

  const tokenOf = async (handle: string): Promise<string> => (await system.login(handle)).token;

  beforeAll(async () => {
    system = await startSystem(backend);
    ({ patient } = await wearerOf(system, "quiet-otter"));
    doctor = await system.doctor("dr-heron");
    const { statement } = await createIdentity(system.suite, system.clock);
    const { code } = await system.operator.session.invite("patient");
    const patientToken = await tokenOf("quiet-otter");
    const key = await strangerKey();
    routes = [
      {
        path: "/accounts",
        valid: { invitation: code, handle: "new-one", password: PASSWORD, identity: statement },
      },
      { path: "/sessions", valid: { handle: "quiet-otter", password: PASSWORD } },
      { path: "/invitations", valid: { role: "patient" }, token: await tokenOf("operator") },
      { path: "/devices", valid: { statement }, token: patientToken },
      { path: "/epochs", valid: { statement }, token: patientToken },
      { path: "/consents", valid: { statement }, token: patientToken },
      { path: "/wrapped-keys", valid: { wrappedKeys: [statement] }, token: patientToken },
      { path: "/revocations", valid: { statement }, token: patientToken },
      { path: "/device-revocations", valid: { statement }, token: patientToken },
      {
        path: "/tickets/read",
        valid: { streamId: someId(), holder: toBase64Url(key.publicKey) },
        token: patientToken,
      },
      { path: "/tickets/upload", valid: { deviceId: someId() }, key },
      { path: "/tickets/forward", valid: { cloudletId: someId() }, key },
    ];
    expect(patient.session.account.role + doctor.session.account.role).toBe("patientdoctor");
  });
  afterAll(() => system?.stop());

  it("is refused with an operator, a list, a number or nothing in every field of every route", async () => {
    let tried = 0;
    await leavesNoTrace(system, async () => {
      for (const route of routes) {
        for (const field of Object.keys(route.valid)) {
          for (const value of NOT_STRINGS) {
            // A list of short strings has the right form.
            if (field === "wrappedKeys" && Array.isArray(value) && typeof value[0] === "string") {
              continue;
            }
            const body = JSON.stringify({ ...route.valid, [field]: value });
            const problem = await expectProblem(await post(route, body), 400, "REQUEST_INVALID");
            expect(problem.errors, `${route.path} ${field}`).toEqual(
              expect.arrayContaining([
                { path: expect.stringMatching(new RegExp(`^${field}`)), message: expect.any(String) },
              ]),
            );
            tried++;
          }
        }
      }
    });
    expect(tried).toBeGreaterThan(100);
  });

  it("is refused with a field too few, a field too many, and names that reach for the prototype", async () => {
    await leavesNoTrace(system, async () => {
      for (const route of routes) {
        const text = JSON.stringify(route.valid).slice(1, -1);
        await expectProblem(await post(route, "{}"), 400, "REQUEST_INVALID");
        for (const extra of [
          '"admin":true',
          '"__proto__":{"role":"operator"}',
          '"constructor":{"prototype":{"role":"operator"}}',
          '"$set":{"role":"operator"}',
          '"":1',
        ]) {
          const problem = await expectProblem(
            await post(route, `{${text},${extra}}`),
            400,
            "REQUEST_INVALID",
          );
          expect(JSON.stringify(problem.errors), route.path).toMatch(/[Uu]nrecognized/);
        }
      }
    });
    expect(({} as Record<string, unknown>).role).toBeUndefined();
  });

  it("is refused when it is no object, or no JSON at all", async () => {
    await leavesNoTrace(system, async () => {
      for (const route of routes) {
        for (const body of ["[]", `[${JSON.stringify(route.valid)}]`]) {
          await expectProblem(await post(route, body), 400, "REQUEST_INVALID");
        }
        for (const body of ["null", '"text"', "12", "{", '{"a":1}}', "{'a':1}", "\u0000", "NaN"]) {
          await expectProblem(await post(route, body), 400, "REQUEST_MALFORMED");
        }
      }
    });
  });

  it("is refused when it is nested a hundred thousand deep, without trouble for the service", async () => {
    const depth = 100_000;
    for (const route of routes) {
      const deepList = `{"handle":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      await expectProblem(await post(route, deepList), 400, "REQUEST_INVALID");
      const deepObject = `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`;
      await expectProblem(await post(route, deepObject), 400, "REQUEST_INVALID");
    }
    expect((await fetch(`${system.kdc.url}/readyz`)).status).toBe(200);
  });

  it("is refused when it is ten megabytes, plain or deflated", async () => {
    const large = JSON.stringify({ handle: "a".repeat(10 * 1024 * 1024) });
    for (const route of routes) {
      await expectProblem(await post(route, large), 413, "REQUEST_TOO_LARGE");
    }
    const bomb = await fetch(`${system.kdc.url}/v1/sessions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
      body: gzipSync(large),
    });
    await expectProblem(bomb, 413, "REQUEST_TOO_LARGE");
  });

  it("is refused under another content type or encoding", async () => {
    await leavesNoTrace(system, async () => {
      for (const route of routes) {
        const body = JSON.stringify(route.valid);
        for (const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "application/octet-stream",
          "application/json; charset=iso-8859-1",
          "nonsense",
        ]) {
          await expectProblem(await post(route, body, type), 415, "REQUEST_MEDIA_TYPE");
        }
      }
      const encoded = await fetch(`${system.kdc.url}/v1/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Content-Encoding": "rot13" },
        body: "{}",
      });
      await expectProblem(encoded, 415, "REQUEST_MEDIA_TYPE");
    });
  });

  it("names every fault of a request at once and repeats no value of it", async () => {
    const body = { invitation: 7, handle: "NOT A HANDLE", password: "short-secret" };
    const route = routes[0] as JsonRoute;
    const problem = await expectProblem(await post(route, JSON.stringify(body)), 400, "REQUEST_INVALID");
    const errors = problem.errors as { path: string }[];
    expect(errors.map(({ path }) => path).sort()).toEqual(["handle", "identity", "invitation"]);
    expect(JSON.stringify(problem)).not.toMatch(/NOT A HANDLE|short-secret/);
  });

  it("is still understood by the ticket routes when everything is right but the rights", async () => {
    const answers = await Promise.all(
      routes.slice(-3).map((route) => post(route, JSON.stringify(route.valid))),
    );
    const codes = await Promise.all(answers.map(async (answer) => (await answer.json()).code));
    expect(codes).toEqual(["CONSENT_MISSING", "DEVICE_UNKNOWN", "CLOUDLET_UNKNOWN"]);
  });
});
