import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import {
  type LaunchOptions,
  launchCloud,
  launchCloudlet,
  launchKdc,
  launchResearch,
  readSettings,
  type ServiceName,
  type SettingName,
  settingsOf,
} from "../apps/index.ts";
import { MedcloudletError, systemClock } from "../base/index.ts";
import { createLog, errorFields, type RunningService } from "../http/index.ts";
import { newCommand, newGroup, outputOf } from "./command.ts";
import { untilInterrupted } from "./interrupt.ts";

const LAUNCHERS = {
  kdc: launchKdc,
  cloud: launchCloud,
  cloudlet: launchCloudlet,
  research: launchResearch,
} as const;

const DESCRIPTIONS: Readonly<Record<ServiceName, string>> = {
  kdc: "the key distribution centre: accounts, consents, wrapped keys, tickets",
  cloud: "the cloud: keeps sealed batches and serves them to ticket holders",
  cloudlet: "a cloudlet: takes sealed batches from wearables and passes them on",
  research: "the research service: gives out releases of those who consent to research with its account",
};

const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

async function readConfigFile(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) {
    return {};
  }
  try {
    const parsed: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw new Error("not an object");
    }
    return parsed as Record<string, unknown>;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === undefined ? "is not a JSON object" : `cannot be read (${code})`;
    throw new MedcloudletError("CONFIG_INVALID", `The configuration file ${file} ${why}.`, {
      status: 400,
      cause,
    });
  }
}

function serveOne(service: ServiceName): Command {
  const command = newCommand(service, DESCRIPTIONS[service]).option(
    "--config <file>",
    "JSON file with settings",
  );
  for (const [name, { env, fallback, help, secret }] of settingsOf(service)) {
    // Secrets have no flag: the whole machine can read command lines.
    if (!secret) {
      command.option(
        `--${flagOf(name)} <value>`,
        `${help} [${env}]${fallback ? ` (default: ${fallback})` : ""}`,
      );
    }
  }
  const secrets = settingsOf(service).filter(([, { secret }]) => secret === true);
  command.addHelpText(
    "after",
    `\nOnly by environment, because the whole machine can read command lines:\n${secrets
      .map(([, { env, help }]) => `  ${env} (or ${env}_FILE, a file that holds it)\n      ${help}`)
      .join("\n")}`,
  );
  return command.action(
    async ({
      config,
      json,
      ...flags
    }: Partial<Record<SettingName, string>> & { config?: string; json?: true }) => {
      const output = outputOf(json === undefined ? {} : { json });
      const settings = readSettings(service, {
        flags,
        environment: process.env,
        file: await readConfigFile(config),
      });
      const log = createLog({ service, level: settings.logLevel });
      const options: LaunchOptions = { settings, clock: systemClock, log };
      const running: RunningService & { firstInvitation?: string } = await LAUNCHERS[service](options);
      const { firstInvitation } = running;
      output.result(
        { service, url: running.url, ...(firstInvitation === undefined ? {} : { firstInvitation }) },
        `${output.colours.bold(service)} listens on ${output.colours.cyan(running.url)}` +
          (firstInvitation === undefined ? "" : `\nThe first operator's invitation is in ${firstInvitation}`),
      );
      process.on("unhandledRejection", (reason) => {
        log.error({ event: "unhandled_rejection", ...errorFields(reason) });
        process.exit(1);
      });
      await untilInterrupted((signal) => log.info({ event: "stopping", signal }));
      await running.close();
    },
  );
}

/** `medcloudlet serve kdc|cloud|cloudlet|research`. */
export function serveCommand(): Command {
  const command = newGroup("serve", "start one service and keep it running");
  for (const service of ["kdc", "cloud", "cloudlet", "research"] as const) {
    command.addCommand(serveOne(service));
  }
  return command;
}
