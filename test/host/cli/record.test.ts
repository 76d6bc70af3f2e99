import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoLogin, type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { printable } from "../../../host/cli/record-text.ts";
import { exportBundle, importBundle } from "../../../host/fhir/index.ts";
import { mergeParts, splitRecord } from "../../../host/patient-record/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { runCli } from "../../support/processes.ts";
import { FULL_RECORD } from "../patient-record/records.ts";

const synthea = evaluationFile(
  "records/synthea_fhir/Clemente_Kreiger_1484a42d-0eaf-4654-9cbf-6b050a5cd73b.json",
);
let world: DemoWorld;
let folder: string;
let bundleFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-record-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  bundleFile = join(folder, "bundle.json");
  await writeFile(bundleFile, JSON.stringify(exportBundle(FULL_RECORD, { pseudonym: "p", at: 0 })));
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

describe("medcloudlet record", () => {
  it("shows with --dry-run which field goes where, without keys and without sending anything", async () => {
    const args = ["record", "import", bundleFile, "--dry-run", "--home", join(folder, "nobody")];
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/identity +names +1 +Dr\. Ada Maria Quillfeather/);
    expect(stdout).toMatch(/profile +year of birth +1 +1984/);
    expect(stdout).toMatch(/medical +diagnoses +1 +Hypertension/);
    const { stdout: json } = await runCli([...args, "--json"]);
    const { regions, report } = JSON.parse(json);
    expect(regions).toEqual(splitRecord(FULL_RECORD));
    expect(report.types.Patient).toEqual({ found: 1, taken: 1, leftOut: 0, refused: 0 });
  });

  it.skipIf(synthea === null)("says what of a Synthea bundle it leaves out", async () => {
    const { code, stdout } = await runCli(["record", "import", synthea as string, "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain("left out, for the record has no place for them:");
    for (const type of ["Encounter", "Claim", "ExplanationOfBenefit", "Organization", "Practitioner"]) {
      expect(stdout).toContain(type);
    }
    expect(stdout).toContain("encounter.reference");
  });

  it("takes a bundle in, shows it, and gives it out again as the patient", { timeout: 180_000 }, async () => {
    const first = await runCli(["record", "import", bundleFile, ...as("patient"), "--json"]);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(JSON.parse(first.stdout).saved.map(({ status }: { status: string }) => status)).toEqual([
      "saved",
      "saved",
      "saved",
    ]);
    const again = await runCli(["record", "import", bundleFile, ...as("patient")]);
    expect(again.stdout).toContain("identity: unchanged, version 1");

    const shown = await runCli(["record", "show", ...as("patient")]);
    expect(shown.stdout).toContain("Quillfeather");
    expect(shown.stdout).toContain("Hypertension");

    const out = join(folder, "own.json");
    const written = await runCli(["record", "export", "--fhir", "--out", out, ...as("patient")]);
    expect([written.code, written.stderr]).toEqual([0, ""]);
    expect(importBundle(JSON.parse(await readFile(out, "utf8"))).record).toEqual(FULL_RECORD);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
  });

  it("gives a doctor what was shared and nothing else", { timeout: 180_000 }, async () => {
    const { medical } = splitRecord(FULL_RECORD);
    const shown = await runCli(["record", "show", ...as("doctor"), "--json"]);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    const { record, regions } = JSON.parse(shown.stdout);
    expect(record).toEqual(medical);
    expect(regions).toMatchObject([{ region: "medical", status: "read", version: 1 }]);
    const { stdout } = await runCli(["record", "export", "--fhir", ...as("doctor")]);
    expect(stdout).not.toMatch(/Quillfeather|01887|1984-07/);
    expect(importBundle(JSON.parse(stdout)).record).toEqual(mergeParts({ medical }));
    const read = await runCli(["doctor", "read", ...as("doctor"), "--json"]);
    expect(JSON.parse(read.stdout)).toMatchObject({ recordPart: { status: "saved", version: 1 } });
    const unknown = await runCli(["record", "show", "--patient", "nobody", ...as("doctor")]);
    expect(unknown.code).toBe(3);
  });

  it("refuses what is no bundle with 5, a missing file with one line, and a missing --fhir with 2", async () => {
    const broken = join(folder, "broken.json");
    await writeFile(broken, "{");
    const noJson = await runCli(["record", "import", broken, "--dry-run"]);
    expect(noJson.code).toBe(5);
    expect(noJson.stderr).toContain("FHIR_BUNDLE_INVALID");
    await writeFile(broken, "[]");
    expect((await runCli(["record", "import", broken, "--dry-run"])).code).toBe(5);
    const missing = await runCli(["record", "import", join(folder, "none.json"), "--dry-run"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/Cannot read .*none\.json \(ENOENT\).*\[CLI_FILE\]/);
    expect(missing.stderr.trim().split("\n")).toHaveLength(1);
    const aFolder = await runCli(["record", "import", folder, "--dry-run"]);
    expect([aFolder.code, aFolder.stderr]).toEqual([2, expect.stringContaining("EISDIR")]);
    expect((await runCli(["record", "export", ...as("patient")])).code).toBe(2);
  });

  it("prints nothing of a record that would move the cursor or turn text round", () => {
    expect(printable("a\u001b[2Jb\u009bc\u202ed\ne")).toBe("a [2Jb c d e");
  });
});
