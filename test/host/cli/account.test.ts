import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { demoCode } from "../../../host/cli/demo-authenticator.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { createToolkit, openHome, startWork } from "../../../host/cli/home.ts";
import { unlockKeystore } from "../../../host/client/index.ts";
import { runCli } from "../../support/processes.ts";

const NEW_PASSWORD = "seven otters under one bridge";

describe("medcloudlet account", () => {
  let world: DemoWorld;
  let folder: string;

  const loginOf = (part: string) => {
    const login = world.logins.find((candidate) => candidate.part === part);
    if (login === undefined) {
      throw new Error(`nobody plays ${part}`);
    }
    return login;
  };
  const as = (part: string, home = loginOf(part).home): string[] => [
    ...["--home", home, "--kdc", world.addresses.kdc, "--json"],
    ...["--password-file", loginOf(part).passwordFile, "--passphrase-file", loginOf(part).passphraseFile],
  ];
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(["account", ...args]);
    return { code, result: stdout === "" ? null : JSON.parse(stdout), problem: stderr && JSON.parse(stderr) };
  };
  const emptyHome = () => mkdtemp(join(tmpdir(), "medcloudlet-new-home-"));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-account-"));
    world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  });
  afterAll(() => world?.close());

  it("lists sessions and ends them", async () => {
    const { result } = await run("sessions", ...as("doctor"));
    expect(result.sessions.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
    const ended = await run("sessions", ...as("doctor"), "--end", "00".repeat(16));
    expect(ended).toMatchObject({ code: 5, problem: { code: "SESSION_UNKNOWN" } });
  });

  it("wants a code from staff after a logout, and takes it from the flag", async () => {
    expect((await run("logout", ...as("doctor"))).code).toBe(0);
    const without = await run("sessions", ...as("doctor"));
    expect(without).toMatchObject({ code: 2, problem: { code: "CLI_SECRET_MISSING" } });
    expect(without.problem.detail).toContain("--code");
    const wrong = await run("sessions", ...as("doctor"), "--code", "000000");
    expect(wrong).toMatchObject({ code: 3, problem: { code: "SECOND_FACTOR_INVALID" } });
    const code = await demoCode(loginOf("doctor").home, systemClock);
    expect((await run("sessions", ...as("doctor"), "--code", code)).code).toBe(0);
    expect((await run("sessions", ...as("doctor"))).code).toBe(0);
  });

  it("lists an operator's invitations and takes one back, by the beginning of its id", async () => {
    const invitations = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(["keys", "invitations", ...as("operator"), ...args]);
      return code === 0 ? JSON.parse(stdout) : { exit: code, ...JSON.parse(stderr) };
    };
    const { invitationId } = await (await world.signIn("operator")).session.invite("doctor");
    const beginning = invitationId.slice(0, 12);
    expect((await invitations()).invitations).toContainEqual(
      expect.objectContaining({ invitationId, role: "doctor", usedAt: null }),
    );
    expect(await invitations("--withdraw", beginning)).toEqual({ withdrawn: invitationId });
    expect(await invitations("--withdraw", beginning)).toMatchObject({ exit: 2, code: "CLI_INVITATION" });
  });

  it("brings a patient back from a backup on another machine", async () => {
    const { result } = await run("backup", ...as("patient"), "--automatic");
    expect(result).toEqual({ version: 1, automatic: true });
    const home = await emptyHome();
    const restored = await run("restore", ...as("patient", home), "--handle", "quiet-otter");
    expect(restored.result).toMatchObject({ handle: "quiet-otter", version: 1, epochs: 1 });
    const taken = await run("restore", ...as("patient", home), "--handle", "quiet-otter");
    expect(taken).toMatchObject({ code: 2, problem: { code: "CLI_HOME_TAKEN" } });
    const [here, there] = await Promise.all(
      [loginOf("patient").home, home].map((place) =>
        runCli([
          "keys",
          "show",
          "--home",
          place,
          "--passphrase-file",
          loginOf("patient").passphraseFile,
          "--json",
        ]),
      ),
    );
    expect(there?.stdout).toBe(here?.stdout);
  });

  it("changes the passphrase of the keys and of their backup, and no other command brings the old one back", {
    timeout: 180_000,
  }, async () => {
    const { home, passphraseFile } = loginOf("patient");
    const keystore = () => readFile(join(home, "keystore.json"), "utf8");
    const secretFile = async (name: string, secret: string) => {
      const file = join(folder, name);
      await writeFile(file, `${secret}\n`);
      return file;
    };
    const passphrase = (await readFile(passphraseFile, "utf8")).trim();
    const workIn = async (place: string, opener: string) =>
      startWork(await createToolkit(systemClock), {
        home: place,
        addresses: world.addresses,
        passphrase: opener,
        password: async () => (await readFile(loginOf("patient").passwordFile, "utf8")).trim(),
        code: async () => "",
      });
    const before = await keystore();
    const next = await secretFile("next", "four herons in a reed bed");
    for (const [args, code, problem] of [
      [["--new-passphrase-file", await secretFile("weak", "short")], 5, "KEYSTORE_PASSPHRASE_WEAK"],
      [["--new-passphrase-file", passphraseFile], 2, "CLI_PASSPHRASE_SAME"],
      [["--new-passphrase-file", next, "--passphrase-file", next], 3, "KEYSTORE_PASSPHRASE"],
    ] as const) {
      expect(await run("passphrase", ...as("patient"), ...args)).toMatchObject({
        code,
        problem: { code: problem },
      });
    }
    expect(await keystore()).toBe(before);

    // Somebody else's command, at work with the old passphrase when it changes.
    const late = await workIn(home, passphrase);
    await late.save({ known: { "dr-swift": "ab" } });
    const changed = await run("passphrase", ...as("patient"), "--new-passphrase-file", next);
    expect(changed).toMatchObject({ code: 0, result: { backup: 3, backedUpElsewhere: false } });
    const withNew = await keystore();
    await expect(late.save({ known: {} })).rejects.toMatchObject({ code: "KEYSTORE_PASSPHRASE_CHANGED" });
    expect(await keystore()).toBe(withNew);
    await expect(unlockKeystore(withNew, "four herons in a reed bed")).resolves.toMatchObject({
      known: { "dr-swift": "ab" },
    });
    await expect(openHome(home, passphrase)).rejects.toMatchObject({
      code: "KEYSTORE_PASSPHRASE",
    });

    // The backup is the new one's, and opens with it alone.
    const elsewhere = await emptyHome();
    const restore = ["restore", ...as("patient", elsewhere), "--handle", "quiet-otter"];
    expect(await run(...restore)).toMatchObject({ code: 3, problem: { code: "KEYSTORE_PASSPHRASE" } });
    expect(await run(...restore, "--passphrase-file", next)).toMatchObject({ result: { version: 3 } });
    // What another machine kept meanwhile, with the old passphrase still, is taken in first.
    await (await workIn(elsewhere, "four herons in a reed bed")).backUp();
    const here = await workIn(home, "four herons in a reed bed");
    expect(await here.changePassphrase(passphrase)).toBe(5);
    await expect(openHome(home, passphrase)).resolves.toMatchObject({ handle: "quiet-otter" });
  });

  it("brings a patient back by guardians, who compare a fingerprint", async () => {
    const cards: string[] = [];
    for (const part of ["doctor"] as const) {
      const file = join(folder, `${part}.card`);
      await writeFile(file, JSON.stringify((await run("card", ...as(part))).result));
      cards.push(file);
    }
    // One guardian is none, and nobody is named unseen.
    const [card = ""] = cards;
    const blind = await run("guardians", ...as("patient"), "--card", card, card, "--threshold", "2");
    expect(blind).toMatchObject({ code: 2, problem: { code: "CLI_FINGERPRINT_UNKNOWN" } });

    const home = await emptyHome();
    const asked = await run("recover", ...as("patient", home), "--handle", "quiet-otter", "--guardians");
    expect(asked.result.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const kept = await readFile(join(home, "recovery-request.json"), "utf8");
    expect(kept).toContain("medcloudlet-keystore-1");
    const few = await run("recover", ...as("patient", home), "--handle", "quiet-otter", "--guardians");
    expect(few).toMatchObject({ code: 5, problem: { code: "RECOVERY_SHARES_FEW", have: 0 } });
  });

  it("brings a patient back with the code on paper, under a new password", async () => {
    const { result } = await run("recovery-code", ...as("patient"));
    const codeFile = join(folder, "paper");
    const passwordFile = join(folder, "new-password");
    await writeFile(passwordFile, `${NEW_PASSWORD}\n`);
    await writeFile(codeFile, `${String(result.recoveryCode).toLowerCase().replaceAll("-", " ")}\n`);
    const home = await emptyHome();
    const args = ["--home", home, "--kdc", world.addresses.kdc, "--json", "--handle", "quiet-otter"];
    args.push("--password-file", passwordFile, "--passphrase-file", loginOf("patient").passphraseFile);
    const wrong = join(folder, "wrong-paper");
    const printed = String(result.recoveryCode);
    // The last symbol checks the rest, and one time in 37 it is the asterisk itself.
    const other = printed.endsWith("*") ? "~" : "*";
    await writeFile(wrong, `${printed.slice(0, -1)}${other}\n`);
    const mistyped = await run("recover", ...args, "--recovery-code-file", wrong);
    expect(mistyped.problem.code).toBe("RECOVERY_CODE_MISTYPED");
    const back = await run("recover", ...args, "--recovery-code-file", codeFile);
    expect(back.problem).toBe("");
    expect(back.result).toMatchObject({ handle: "quiet-otter", epochs: 1, secondFactor: "none" });
    // The old home's session is over, and so is the old password.
    const old = await run("sessions", ...as("patient"));
    expect(old).toMatchObject({ code: 3, problem: { code: "LOGIN_FAILED" } });
    const events = await run("events", ...args.slice(0, 5), ...args.slice(7));
    const kinds = events.result.events.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["recovered", "recovery-code-set"]));
  });
});
