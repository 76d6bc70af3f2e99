import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { MedcloudletError, randomBytes, systemClock, toBase64Url, toHex } from "../base/index.ts";
import { memberSchema } from "../ids/index.ts";
import { signRoster, verifyRoster } from "../ids/mesh/index.ts";
import { newCommand, newGroup, outputOf } from "./command.ts";
import { table } from "./output.ts";
import { writePrivateFile } from "./private-file.ts";

/** Loaded when it is needed, for the services' own parts come along with it. */
async function signingKeyIn(file: string) {
  const { loadOrCreateSigningKey } = await import("../identity/index.ts");
  return await loadOrCreateSigningKey(file);
}

interface JsonOption {
  readonly json?: true;
}

/** What an operator writes by hand. */
const PLAN = z.strictObject({
  /** Made at the first signing where it is absent. */
  mesh: z
    .string()
    .regex(/^[0-9a-f]{32}$/, "expected 32 hex digits")
    .optional(),
  version: z.number().int().positive(),
  members: z.array(memberSchema).min(1),
});

async function readPlan(file: string): Promise<z.infer<typeof PLAN>> {
  try {
    return PLAN.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const why = issue === undefined ? (cause as Error).message : `${issue.path.join(".")}: ${issue.message}`;
    throw new MedcloudletError(
      "CLI_FILE",
      `${file} is no plan of a roster (${why}): expected {"version": 1, "members": [{"id", "operator", "url", "signingKey"}]}.`,
      { status: 400, cause },
    );
  }
}

function secret(): Command {
  return newCommand("secret", "make the secret that all members hold (MEDCLOUDLET_MESH_SECRET_FILE)")
    .requiredOption("--out <file>", "where it goes; only its user can read it")
    .action(async (options: JsonOption & { out: string }) => {
      await writePrivateFile(options.out, `${toHex(randomBytes(32))}\n`);
      outputOf(options).result(
        { file: options.out },
        `${options.out}: hand it to each operator in person. Whoever holds it can tell which addresses alerts are about.`,
      );
    });
}

function key(): Command {
  return newCommand("key", "show the public half of a key; it is made where there is none")
    .argument("<file>", "an operator's key, or a member's: DATA/cloudlet/mesh-key, DATA/cloud/mesh-key, …")
    .action(async (file: string, options: JsonOption) => {
      const signingKey = toBase64Url((await signingKeyIn(file)).publicKey);
      outputOf(options).result({ file, signingKey }, signingKey);
    });
}

function roster(): Command {
  return newCommand("roster", "sign the roster of the mesh (MEDCLOUDLET_MESH_ROSTER)")
    .argument("<plan>", "JSON: version (counts up), members with id, operator, url and signingKey")
    .requiredOption("--key <file>", "the operator's key")
    .requiredOption("--out <file>", "where the signed roster goes")
    .action(async (file: string, options: JsonOption & { key: string; out: string }) => {
      const output = outputOf(options);
      const { mesh = toHex(randomBytes(16)), version, members } = await readPlan(file);
      const operator = await signingKeyIn(options.key);
      const createdAt = systemClock.now();
      const statement = await signRoster({ mesh, version, createdAt, members }, operator);
      await verifyRoster(statement, [toBase64Url(operator.publicKey)]);
      await writePrivateFile(options.out, `${statement}\n`);
      const operators = new Set(members.map((member) => member.operator)).size;
      output.result(
        { mesh, version, members: members.length, operators, file: options.out },
        [
          table(
            [["member", "operator", "url"], ...members.map(({ id, operator: by, url }) => [id, by, url])],
            output.colours,
          ),
          `${options.out}: version ${version} of mesh ${mesh}, ${members.length} members of ${operators} operators.`,
          "Keep the mesh's id in the plan for the next version. It stands " +
            `${Math.max(0, Math.floor((operators - 1) / 3))} operators that lie.`,
        ].join("\n"),
      );
    });
}

/** `medcloudlet ids mesh …`. */
export function meshCommand(): Command {
  return newGroup("mesh", "set up the mesh in which intrusion detections warn each other")
    .addCommand(secret())
    .addCommand(key())
    .addCommand(roster());
}
