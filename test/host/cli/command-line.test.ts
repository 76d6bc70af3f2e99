import { copyFile, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleEnvironment } from "../../../host/apps/index.ts";
import { type DemoLogin, type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { runCli } from "../../support/processes.ts";

let world: DemoWorld;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
});
afterAll(() => world?.close());

const as = (part: DemoLogin["part"]): string[] => {
  const login = world.logins.find((candidate) => candidate.part === part) as DemoLogin;
  return [
    "--home",
    login.home,
    "--password-file",
    login.passwordFile,
    "--passphrase-file",
    login.passphraseFile,
  ];
};

describe("medcloudlet", () => {
  it("explains every command and exits with 0", async () => {
    for (const args of [
      ["--help"],
      ["demo", "--help"],
      ["serve", "kdc", "--help"],
      ["serve", "cloudlet", "--help"],
      ["simulate", "--help"],
      ["dataset", "upload", "--help"],
      ["doctor", "read", "--help"],
      ["keys", "share", "--help"],
      ["account", "recover", "--help"],
      ["bench", "--help"],
    ]) {
      const { code, stdout } = await runCli(args);
      expect(code, args.join(" ")).toBe(0);
      expect(stdout).toContain("Usage: medcloudlet");
    }
  });

  it("exits with 2 for wrong use and says where help is", async () => {
    const unknown = await runCli(["serve", "moon"]);
    expect(unknown.code).toBe(2);
    const number = await runCli(["simulate", "--device", "x", "--speed", "fast"]);
    expect(number.code).toBe(2);
    expect(number.stderr).toContain("whole number");
    expect(number.stderr).toContain("--help");
  });

  it("lists all faults of a configuration together and exits with 2", async () => {
    const { code, stderr } = await runCli(["serve", "cloudlet", "--json"], {
      MEDCLOUDLET_PORT: "seventy",
      MEDCLOUDLET_KDC_URL: "nowhere",
      MEDCLOUDLET_LOG_LEVEL: "loud",
    });
    expect(code).toBe(2);
    const problem = JSON.parse(stderr);
    expect(problem.code).toBe("CONFIG_INVALID");
    expect(problem.faults).toHaveLength(3);
  });

  it("exits with 4 when the KDC is not there, naming its address", async () => {
    const args = ["doctor", "read", ...as("doctor"), "--kdc", "http://127.0.0.1:1"];
    const { code, stderr, stdout } = await runCli(args);
    expect(code).toBe(4);
    expect(stderr).toContain("http://127.0.0.1:1");
    expect(stdout).toBe("");
  });

  it("exits with 3 for a wrong password and with 3 for a wrong passphrase", async () => {
    const wrong = join(folder, "wrong");
    await writeFile(wrong, "not the password\n");
    const login = world.logins.find(({ part }) => part === "doctor") as DemoLogin;
    const right = { password: login.passwordFile, passphrase: login.passphraseFile };
    // A home without a kept session: with one nobody is asked for the password.
    const home = join(folder, "without-session");
    await mkdir(home);
    for (const file of ["keystore.json", "addresses.json"]) {
      await copyFile(join(login.home, file), join(home, file));
    }
    for (const [files, expected] of [
      [{ ...right, password: wrong }, "LOGIN_FAILED"],
      [{ ...right, passphrase: wrong }, "KEYSTORE_PASSPHRASE"],
    ] as const) {
      const args = ["doctor", "read", "--home", home, "--json"];
      args.push("--password-file", files.password, "--passphrase-file", files.passphrase);
      const { code, stderr } = await runCli(args);
      expect(code).toBe(3);
      expect(JSON.parse(stderr).code).toBe(expected);
    }
  });

  it("never takes a secret from a pipe it was not told of", async () => {
    const login = world.logins.find(({ part }) => part === "doctor") as DemoLogin;
    const { code, stderr } = await runCli(["doctor", "read", "--home", login.home]);
    expect(code).toBe(2);
    expect(stderr).toContain("--passphrase-file");
  });

  it("says that a folder holds no keys before it asks for secrets", async () => {
    const { code, stderr } = await runCli(["doctor", "read", "--home", join(folder, "nobody")]);
    expect(code).toBe(2);
    expect(stderr).toContain("CLI_HOME_EMPTY");
  });

  it("says in one line which folder it cannot use", async () => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const { code, stderr } = await runCli(["serve", "kdc", "--port", "0", "--data-dir", file]);
    expect(code).toBe(1);
    expect(stderr).toContain(file);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("refuses a start that is no time", async () => {
    const { code, stderr } = await runCli(["simulate", "--device", folder, "--start", "yesterday"]);
    expect(code).toBe(2);
    expect(stderr).toContain("2026-01-31T08:00:00Z");
  });

  it("says that a CSV file cannot be written, and where", async () => {
    const csv = join(folder, "missing", "opened.csv");
    const { code, stderr } = await runCli(["doctor", "read", ...as("doctor"), "--csv", csv]);
    expect(code).toBe(2);
    expect(stderr).toContain(csv);
    expect(stderr).not.toContain(" at ");
  });

  it("uploads a data set once, lets the doctor read every sample, and does nothing the second time", async () => {
    const file = join(folder, "vitals.csv");
    const rows = Array.from(
      { length: 7200 },
      (_, second) => `${second},${60 + (second % 30)},${second % 7 ? 97 : ""}`,
    );
    await writeFile(file, ["t_s,HR,SpO2", ...rows].join("\n"));
    const upload = ["dataset", "upload", file, ...as("patient"), "--start", "2026-01-05T08:00:00Z", "--json"];
    const first = await runCli(upload);
    expect(first.stderr).toBe("");
    expect(first.code).toBe(0);
    const sent = JSON.parse(first.stdout);
    expect(sent).toMatchObject({ alreadySealed: false, waiting: 0 });
    expect(sent.accepted).toBe(sent.sealed);

    const again = await runCli(upload);
    expect(JSON.parse(again.stdout)).toMatchObject({ alreadySealed: true, accepted: 0, sealed: 0 });

    const csv = join(folder, "opened.csv");
    const read = await runCli(["doctor", "read", ...as("doctor"), "--csv", csv, "--json"]);
    expect(read.code).toBe(0);
    const summary = JSON.parse(read.stdout);
    expect(summary.patient).toBe("Ada Quillfeather (demo)");
    expect(summary).toMatchObject({ refusedBatches: 0, missingNumbers: 0, batches: sent.sealed });
    const byQuantity = new Map(
      summary.quantities.map((entry: { quantity: string }) => [entry.quantity, entry]),
    );
    expect(byQuantity.get("heartRate")).toMatchObject({ samples: 7200, gaps: 0, min: 60, max: 89 });
    expect(byQuantity.get("oxygenSaturation")).toMatchObject({ samples: 7200, gaps: 1029 });
    const lines = (await readFile(csv, "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + 2 * 7200);
    expect(lines).toContain("2026-01-05T08:00:00.000Z,heartRate,8867-4,/min,147842,60");
    expect(lines).toContain("2026-01-05T08:00:00.000Z,oxygenSaturation,59408-5,%,150456,");
  });

  it("simulates a wearable and stops after the minutes asked for", async () => {
    const device = join(folder, "watch");
    const paired = await runCli(["keys", "pair", ...as("patient"), "--device", device, "--json"]);
    expect(paired.code).toBe(0);
    const { kdc, cloudlet } = world.addresses;
    const { code, stdout, stderr } = await runCli([
      "simulate",
      ...["--device", device, "--minutes", "5", "--speed", "0", "--kdc", kdc, "--cloudlet", cloudlet],
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toBe("5 batches accepted by the cloudlet, 0 still in the outbox.\n");
  });

  it("shares only with a doctor whose fingerprint was compared", async () => {
    const shown = JSON.parse((await runCli(["keys", "show", ...as("doctor"), "--json"])).stdout);
    const share = ["keys", "share", ...as("patient"), "--with", "dr-heron", "--json"];
    const blind = await runCli(share);
    expect(blind.code).toBe(2);
    expect(JSON.parse(blind.stderr).code).toBe("CLI_FINGERPRINT_UNKNOWN");
    const bad = await runCli([...share, "--fingerprint", "00".repeat(32)]);
    expect(bad.code).toBe(5);
    expect(JSON.parse(bad.stderr).code).toBe("READER_CHANGED");
    const good = await runCli([...share, "--fingerprint", shown.fingerprint]);
    expect(JSON.parse(good.stdout)).toMatchObject({ reader: "dr-heron" });
    // From now on the keystore knows it.
    expect((await runCli(share)).code).toBe(0);
  });

  it("measures what each step costs", async () => {
    const { code, stdout } = await runCli(["bench", "--rounds", "3", "--json"]);
    expect(code).toBe(0);
    const { results } = JSON.parse(stdout);
    expect(results.length).toBeGreaterThan(5);
    for (const { medianMicroseconds } of results) {
      expect(medianMicroseconds).toBeGreaterThan(0);
    }
  });

  it("keeps .env.example in step with the settings", async () => {
    expect(await readFile(resolve(import.meta.dirname, "../../../.env.example"), "utf8")).toBe(
      exampleEnvironment(),
    );
  });
});

describe("medcloudlet demo", () => {
  it("runs the main job, prints addresses and logins, and goes on where it stopped", async () => {
    const data = join(folder, "kept");
    const args = ["demo", "--data", data, "--free-ports", "--batches", "2", "--speed", "600", "--json"];
    for (const round of [0, 1]) {
      const { code, stdout, stderr } = await runCli(args);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const events = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(events[0]).toMatchObject({ event: "ready" });
      expect(events[0].logins).toHaveLength(4);
      // Staff can log in elsewhere only with what is printed here.
      for (const { part, secondFactor } of events[0].logins) {
        expect(secondFactor, part).toEqual(
          part === "patient" ? null : expect.stringMatching(/^[A-Z2-7]{32}$/),
        );
      }
      expect(events.at(-1)).toEqual({ event: "stopped", opened: 2, refused: 0 });
      // Half a day was sent at once before, the first time; what is told is of now.
      const opened = events.filter(({ event }) => event === "opened");
      expect(opened.map(({ sequence }) => sequence)).toEqual([24 + 2 * round, 25 + 2 * round]);
      for (const { lastTime } of opened) {
        expect(Date.now() - lastTime).toBeLessThan(30 * 60_000);
      }
    }
  });

  it("does not take several people's readings for those of the one who sends them", async () => {
    const file = join(folder, "ward.csv");
    const rows = ["1,2026-01-05T08:00:00Z,70", "2,2026-01-05T08:00:00Z,90", "1,2026-01-05T08:00:01Z,71"];
    await writeFile(file, ["subject,time,HR", ...rows].join("\n"));
    const upload = ["dataset", "upload", file, ...as("patient"), "--json"];
    const all = await runCli(upload);
    expect(all.code).toBe(2);
    expect(JSON.parse(all.stderr).code).toBe("CLI_SEVERAL_PATIENTS");
    const one = await runCli([...upload, "--patient", "1"]);
    expect(JSON.parse(one.stdout)).toMatchObject({ sealed: 1, accepted: 1, waiting: 0 });
  });

  it("lets a device find its services by what its folder keeps", async () => {
    const device = join(folder, "second-wearable");
    expect((await runCli(["keys", "pair", "--device", device, ...as("patient")])).code).toBe(0);
    const args = ["simulate", "--device", device, "--minutes", "1", "--speed", "0", "--json"];
    args.push("--start", "2026-01-06T08:00:00Z");
    const { stdout } = await runCli(args);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, waiting: 0 });
  });
});
