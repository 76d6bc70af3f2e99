import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoLogin, type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { runCli } from "../../support/processes.ts";

// Every command derives a key of 64 MiB first; a busy machine takes seconds for each.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let world: DemoWorld;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-notes-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  // A session is kept for the commands that follow.
  await world.signIn("doctor");
});
afterAll(() => world?.close());

const run = (part: DemoLogin["part"], ...args: string[]) => {
  const { home, passwordFile, passphraseFile } = world.logins.find(
    (candidate) => candidate.part === part,
  ) as DemoLogin;
  return runCli([
    ...args,
    ...["--home", home, "--password-file", passwordFile, "--passphrase-file", passphraseFile],
  ]);
};
const done = async (part: DemoLogin["part"], ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(part, ...args);
  expect(stderr, args.join(" ")).toBe("");
  expect(code, args.join(" ")).toBe(0);
  return stdout;
};

describe("notes on the command line", () => {
  it("are written, replaced, searched and taken back, and the patient reads what the doctor wrote", async () => {
    const file = join(folder, "note.txt");
    await writeFile(file, "Ménière suspected.\nHearing test on Friday.\n");
    const written = JSON.parse(
      await done("doctor", "doctor", "note", "--patient", "a", "--file", file, "--json"),
    );
    expect(written).toMatchObject({ noteId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await done("patient", "keys", "note", "--text", "Dizzy since Monday.");
    const { noteId } = written;
    await done(
      "doctor",
      "doctor",
      "note",
      "--patient",
      "a",
      "--text",
      "Ménière ruled out.",
      "--replaces",
      noteId,
    );

    const found = JSON.parse(await done("patient", "keys", "notes", "--search", "MENIERE", "--json"));
    expect(found.notes).toMatchObject([
      { text: "Ménière ruled out.", earlier: [{ text: "Ménière suspected.\nHearing test on Friday." }] },
    ]);
    const shown = await done("doctor", "doctor", "notes", "--earlier");
    expect(shown).toMatch(/Dizzy since Monday\.\n.*the patient/);
    expect(shown).toMatch(
      /Ménière ruled out\.\n.*1 earlier\n.*was: .*Ménière suspected\.\n {4}│ Hearing test/,
    );
    await done("doctor", "doctor", "note", "--patient", "a", "--retract", noteId);
    expect(await done("patient", "keys", "notes")).toContain("(taken back)");
    expect(await done("patient", "keys", "notes", "--search", "meniere")).toContain(
      "No note has these words.",
    );
  });

  it("that cannot be written say why", async () => {
    for (const [args, code, words] of [
      [["keys", "note"], 2, "--file"],
      [["keys", "note", "--text", "x", "--file", "y"], 2, "cannot be used with"],
      [["keys", "note", "--text", " "], 5, "NOTE_TEXT_INVALID"],
    ] as const) {
      const answer = await run("patient", ...args);
      expect(answer.code, answer.stderr).toBe(code);
      expect(answer.stderr).toContain(words);
    }
  });
});

describe("asking for access on the command line", () => {
  it("shows the patient who asks, and how to agree; both can end it", async () => {
    const asked = ["doctor", "ask", "--handle", "quiet-otter", "--reason", "Second opinion.", "--json"];
    const { requestId } = JSON.parse(await done("doctor", ...asked));
    const shown = await done("patient", "keys", "requests");
    expect(shown).toMatch(/dr-heron \(doctor\) asks for medical.*\n {4}"Second opinion\."/);
    expect(shown).toContain("keys share --with dr-heron --region medical --days 30 --purpose treatment");
    await done("patient", "keys", "requests", "--decline", requestId);
    // The asker is not told.
    expect(await done("doctor", "doctor", "asked")).toContain(requestId);
  });
});

describe("deleting everything on the command line", () => {
  it("is announced, withdrawn, and done at once only when it is written out", async () => {
    const state = async (...args: string[]) =>
      JSON.parse(await done("patient", "account", "delete", "--json", ...args)).state;
    expect(await state()).toBe("waiting");
    expect(await state("--withdraw")).toBe("none");
    for (const [args, code, words] of [
      [["--now", "--confirm", "somebody"], 5, "DELETION_UNCONFIRMED"],
    ] as const) {
      const answer = await run("patient", "account", "delete", ...args);
      expect(answer.code, answer.stderr).toBe(code);
      expect(answer.stderr).toContain(words);
    }
    expect(await state("--now", "--confirm", "quiet-otter")).toBe("done");
    expect(await run("doctor", "doctor", "notes")).toMatchObject({ code: 3 });
  });
});
