import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  exampleEnvironment,
  readSettings,
  SETTINGS,
  type ServiceName,
  type SettingName,
} from "../../../host/apps/index.ts";
import { isMedcloudletError } from "../../../host/base/index.ts";

type Sources = Partial<Parameters<typeof readSettings>[1]>;

const read = (service: ServiceName, sources: Sources = {}) =>
  readSettings(service, { flags: {}, environment: {}, file: {}, ...sources });

function faultsOf(service: ServiceName, sources: Sources): string[] {
  try {
    read(service, sources);
  } catch (error) {
    if (isMedcloudletError(error, "CONFIG_INVALID")) {
      const faults = error.details.faults as string[];
      for (const fault of faults) {
        expect(error.message).toContain(fault);
      }
      return faults;
    }
    throw error;
  }
  return [];
}

describe("the settings of a service", () => {
  it("have defaults that work on one machine", () => {
    expect(read("kdc")).toMatchObject({ host: "127.0.0.1", port: 4701, dataDir: "./data", logLevel: "info" });
    expect(read("cloud").port).toBe(4702);
    expect(read("cloudlet")).toMatchObject({
      port: 4703,
      kdcUrl: "http://127.0.0.1:4701",
      cloudUrl: "http://127.0.0.1:4702",
    });
    expect(read("kdc").mongodbUrl).toBeUndefined();
  });

  it("come from flags before environment before file before default", () => {
    const all: Sources = {
      flags: { port: "1" },
      environment: { MEDCLOUDLET_PORT: "2", MEDCLOUDLET_LOG_LEVEL: "debug" },
      file: { port: 3, logLevel: "warn", rateLimit: 4 },
    };
    expect(read("kdc", all)).toMatchObject({ port: 1, logLevel: "debug", rateLimit: 4 });
    expect(read("kdc", { ...all, flags: {} }).port).toBe(2);
    expect(read("kdc", { ...all, flags: {}, environment: {} })).toMatchObject({ port: 3, logLevel: "warn" });
    expect(read("kdc", { ...all, flags: {}, environment: { MEDCLOUDLET_PORT: "" } }).port).toBe(3);
  });

  it("name all their faults at once, and of a secret no part", () => {
    const faults = faultsOf("cloudlet", {
      flags: { port: "70000", logLevel: "loud" },
      environment: {
        MEDCLOUDLET_KDC_URL: "ftp://kdc",
        MONGODB_URL: "postgres://user:hunter2@host/db",
        MEDCLOUDLET_RATE_LIMIT: "-1",
        MEDCLOUDLET_TRUST_PROXIES: "1.5",
      },
      file: { spoolCapacity: "many", unknownOne: 1, cloudUrl: "javascript:alert(1)" },
    });
    expect(faults.map((fault) => fault.split(/[ :]/)[0]).sort()).toEqual(
      [
        "port",
        "logLevel",
        "kdcUrl",
        "mongodbUrl",
        "rateLimit",
        "trustProxies",
        "spoolCapacity",
        "cloudUrl",
        "unknownOne",
      ].sort(),
    );
    expect(faults.join()).not.toContain("hunter2");
  });

  it("know of each service only what is its own", () => {
    expect(faultsOf("kdc", { file: { spoolCapacity: "9" } })).toEqual([
      "spoolCapacity: the kdc has no such setting",
    ]);
    expect(faultsOf("cloudlet", { file: { spoolCapacity: "9" } })).toEqual([]);
    for (const name of ["__proto__", "constructor", "toString"]) {
      const file = JSON.parse(`{"${name}": 1}`);
      expect(faultsOf("kdc", { file })).toHaveLength(1);
    }
  });

  it("refuse to listen beyond this machine without the URL that clients use", () => {
    for (const host of [
      "0.0.0.0",
      "::",
      "192.0.2.1",
      "example.org",
      "127.evil.example",
      "localhost.example",
    ]) {
      const faults = faultsOf("kdc", { flags: { host } });
      expect(faults, host).toHaveLength(1);
      expect(faults[0]).toContain("MEDCLOUDLET_PUBLIC_URL");
      expect(faultsOf("kdc", { flags: { host, publicUrl: "https://kdc.example" } })).toEqual([]);
    }
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
      expect(faultsOf("kdc", { flags: { host } }), host).toEqual([]);
    }
  });

  it("take secrets from files, and nothing else from files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-settings-"));
    const secret = join(folder, "url");
    await writeFile(secret, "mongodb://user:hunter2@host/\n");
    const environment = { MONGODB_URL_FILE: secret };
    expect(read("kdc", { environment }).mongodbUrl).toBe("mongodb://user:hunter2@host/");
    expect(read("kdc", { environment: { ...environment, MONGODB_URL: "mongodb://b/" } }).mongodbUrl).toBe(
      "mongodb://b/",
    );
    expect(read("kdc", { environment, file: { mongodbUrl: "mongodb://c/" } }).mongodbUrl).toContain(
      "hunter2",
    );
    expect(read("kdc", { environment: { MEDCLOUDLET_PORT_FILE: secret } }).port).toBe(4701);
    const missing = join(folder, "missing");
    const faults = faultsOf("kdc", { environment: { MONGODB_URL_FILE: missing } });
    expect(faults).toEqual([`MONGODB_URL_FILE: cannot read ${missing}`]);
    const secrets = (Object.keys(SETTINGS) as SettingName[]).filter((name) => "secret" in SETTINGS[name]);
    expect(secrets.sort()).toEqual([
      ...["invitation", "meshSecret", "metricsToken", "mongodbUrl"],
      ...["researchPassphrase", "researchPassword", "researchSecondFactor"],
    ]);
  });

  it("are all described in the example, none of them set", () => {
    const example = exampleEnvironment();
    for (const { env, help } of Object.values(SETTINGS)) {
      expect(example).toContain(`#${env}=`);
      expect(example).toContain(help);
    }
    expect(example.split("\n").every((line) => line === "" || line.startsWith("#"))).toBe(true);
  });
});
