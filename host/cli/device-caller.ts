import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { ReportMode } from "../analytics/index.ts";
import { fromHex, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { createKdcClient } from "../client/index.ts";
import type { GatewayStatus, HelpPlan } from "../emergency/live/index.ts";
import { importSigningKey } from "../sealing/index.ts";
import type { Pairing } from "../wearable/index.ts";
import { type Addresses, type Toolkit, writePrivateFile } from "./home.ts";
import type { Output } from "./output.ts";

const planFile = (folder: string) => join(folder, "help-plan.json");

/** What lets a paired wearable call for helpers. It holds confirmed codes: as private as the pairing beside it. */
export async function writeHelpPlan(folder: string, plan: HelpPlan): Promise<void> {
  await writePrivateFile(planFile(folder), `${JSON.stringify(plan)}\n`);
}

/** A wearable that calls by itself when an emergency begins, and says when it is over. */
export interface Caller {
  follow(mode: ReportMode): Promise<void>;
  end(): Promise<void>;
  /** The last that is known of the last call; null while there was none. */
  outcome(): {
    readonly answered: number;
    readonly helpers: number;
    readonly emergencyTeam: string | null;
  } | null;
}

/** Null for a wearable that nobody equipped. @throws MedcloudletError `CLI_HELP_PLAN` */
export async function openCaller(input: {
  readonly toolkit: Toolkit;
  readonly addresses: Pick<Addresses, "kdc" | "cloudlet">;
  readonly pairing: Pairing;
  readonly folder: string;
  readonly output: Output;
}): Promise<Caller | null> {
  const { toolkit, addresses, pairing, folder, output } = input;
  const text = await readFile(planFile(folder), "utf8").catch(() => null);
  if (text === null) {
    return null;
  }
  // Few wearables are equipped, and the others should not wait for it.
  const { createGateway, HELP_PLAN } = await import("../emergency/live/index.ts");
  const plan = parsePlan(text, folder, HELP_PLAN);
  const gateway = await createGateway({
    deviceId: pairing.deviceId,
    key: await importSigningKey(fromHex(pairing.signingSeed)),
    plan,
    http: toolkit.http,
    kdc: createKdcClient({ http: toolkit.http, url: addresses.kdc }),
    clock: toolkit.clock,
    cloudletUrl: addresses.cloudlet,
  });
  let calling = false;
  let said = "";
  let last: ReturnType<Caller["outcome"]> = null;

  const tell = ({ judged, helpers, kdc, troubles }: GatewayStatus): void => {
    last = { answered: judged.length, helpers, emergencyTeam: kdc };
    const team = kdc === null ? "not heard yet" : kdc.replaceAll("-", " ");
    const waits = troubles.length === 0 ? "" : `, waits (${troubles.join(", ")})`;
    const line = `  helpers: ${helpers} of ${judged.length} who answered qualify; emergency team: ${team}${waits}`;
    if (line !== said) {
      said = line;
      output.note(output.colours.yellow(line));
    }
  };
  /** Whatever goes wrong with calling must never keep readings from being sent. */
  const safely = async (step: () => Promise<void>): Promise<void> => {
    await step().catch((error) => {
      if (!isMedcloudletError(error)) {
        throw error;
      }
      output.trouble(output.colours.red(`  Calling for help failed: ${error.message} [${error.code}]`));
    });
  };

  return {
    outcome: () => last,
    follow: (mode) =>
      safely(async () => {
        if (mode.mode === "regular") {
          if (calling) {
            calling = false;
            await gateway.end();
          }
          return;
        }
        if (calling) {
          tell(await gateway.tend());
          return;
        }
        calling = true;
        tell(await gateway.call(mode.cause ?? "news2"));
      }),
    end: () =>
      safely(async () => {
        if (calling) {
          calling = false;
          tell(await gateway.tend());
          await gateway.end();
        }
      }),
  };
}

function parsePlan(text: string, folder: string, schema: z.ZodType<HelpPlan>): HelpPlan {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new MedcloudletError(
      "CLI_HELP_PLAN",
      `${planFile(folder)} is damaged: make it anew with \`medcloudlet emergency equip --device ${folder}\`.`,
      { cause },
    );
  }
}
