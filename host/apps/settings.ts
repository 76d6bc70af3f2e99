import { readFileSync } from "node:fs";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";

export type ServiceName = "kdc" | "cloud" | "cloudlet" | "research";

interface Setting {
  readonly env: string;
  readonly schema: z.ZodType;
  /** As text, the way the environment would give it. */
  readonly fallback?: string;
  readonly help: string;
  readonly services: readonly ServiceName[];
  /** May be read from the file that `<env>_FILE` names, so that it shows in no process list. */
  readonly secret?: true;
}

const ALL = ["kdc", "cloud", "cloudlet", "research"] as const;
const url = z.url({ protocol: /^https?$/, error: "expected a URL beginning with http:// or https://" });
const count = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, "expected a whole number")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected ${minimum} to ${maximum}`);

const urls = z
  .string()
  .max(16_384)
  .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
  .pipe(z.array(url));

/** Every setting of a service, once: parser, command-line options and `.env.example` are made from this. */
export const SETTINGS = {
  host: {
    env: "MEDCLOUDLET_HOST",
    schema: z.string().min(1),
    fallback: "127.0.0.1",
    help: "Address to listen on. Beyond loopback a public URL is needed: TLS ends in a proxy in front.",
    services: ALL,
  },
  port: {
    env: "MEDCLOUDLET_PORT",
    schema: count(0, 65_535),
    help: "Port to listen on; 0 takes a free one. Default: 4701 KDC, 4702 cloud, 4703 cloudlet, 4704 research.",
    services: ALL,
  },
  publicUrl: {
    env: "MEDCLOUDLET_PUBLIC_URL",
    schema: url.optional(),
    help: "The URL clients use, when it differs from host and port. Proofs of key possession name it.",
    services: ALL,
  },
  dataDir: {
    env: "MEDCLOUDLET_DATA_DIR",
    schema: z.string().min(1),
    fallback: "./data",
    help: "Folder for the service's key file and, without MONGODB_URL, its database.",
    services: ALL,
  },
  mongodbUrl: {
    env: "MONGODB_URL",
    schema: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, "expected mongodb://… or mongodb+srv://…")
      .optional(),
    help: "MongoDB to use instead of the embedded store; each service has a database of its own on it.",
    services: ALL,
    secret: true,
  },
  databasePrefix: {
    env: "MEDCLOUDLET_DATABASE_PREFIX",
    schema: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,39}$/, "expected up to 40 of a-z, 0-9 and _, beginning with a letter"),
    fallback: "medcloudlet",
    help: "Databases on MongoDB are called PREFIX_kdc, PREFIX_cloud, PREFIX_cloudlet and PREFIX_research.",
    services: ALL,
  },
  logLevel: {
    env: "MEDCLOUDLET_LOG_LEVEL",
    schema: z.enum(["silent", "error", "warn", "info", "debug"], {
      error: "expected silent, error, warn, info or debug",
    }),
    fallback: "info",
    help: "How much to log: silent, error, warn, info or debug (one line a request).",
    services: ALL,
  },
  trustProxies: {
    env: "MEDCLOUDLET_TRUST_PROXIES",
    schema: count(0, 10),
    fallback: "0",
    help: "How many proxies in front may say what a client's address is.",
    services: ALL,
  },
  rateLimit: {
    env: "MEDCLOUDLET_RATE_LIMIT",
    schema: count(1, 1_000_000),
    fallback: "3000",
    help: "Requests that one address may make in ten seconds.",
    services: ALL,
  },
  kdcUrl: {
    env: "MEDCLOUDLET_KDC_URL",
    schema: url,
    fallback: "http://127.0.0.1:4701",
    help: "Where the KDC is.",
    services: ["cloud", "cloudlet", "research"],
  },
  cloudUrl: {
    env: "MEDCLOUDLET_CLOUD_URL",
    schema: url,
    fallback: "http://127.0.0.1:4702",
    help: "Where the cloud is; the KDC tells its page.",
    services: ["kdc", "cloudlet", "research"],
  },
  cloudletUrls: {
    env: "MEDCLOUDLET_CLOUDLET_URLS",
    schema: urls,
    fallback: "",
    help: "Where the cloudlets are, by commas; the KDC tells its page, for security officers and communities.",
    services: ["kdc"],
  },
  pageOrigin: {
    env: "MEDCLOUDLET_PAGE_ORIGIN",
    schema: url.optional(),
    help: "Origin of the page in people's browsers: the KDC's public URL. Default: that of the KDC's URL.",
    services: ["cloud", "cloudlet"],
  },
  invitation: {
    env: "MEDCLOUDLET_INVITATION",
    schema: z.string().max(128).optional(),
    help: "Invitation for the role cloudlet; needed at the first start only.",
    services: ["cloudlet"],
    secret: true,
  },
  idsMode: {
    env: "MEDCLOUDLET_IDS_MODE",
    schema: z.enum(["enforce", "simulate", "off"], { error: "expected enforce, simulate or off" }),
    fallback: "enforce",
    help: "Intrusion detection: enforce its decisions, simulate them (decide and write down only), or off.",
    services: ALL,
  },
  idsExempt: {
    env: "MEDCLOUDLET_IDS_EXEMPT",
    schema: z.string().max(16_384),
    fallback: "",
    help: "Addresses and CIDR ranges, by commas, that the intrusion detection never acts against.",
    services: ALL,
  },
  idsExemptLoopback: {
    env: "MEDCLOUDLET_IDS_EXEMPT_LOOPBACK",
    schema: z.enum(["yes", "no"], { error: "expected yes or no" }),
    fallback: "yes",
    help: "Whether loopback addresses are among them: yes or no.",
    services: ALL,
  },
  idsModel: {
    env: "MEDCLOUDLET_IDS_MODEL",
    schema: z.string().min(1).optional(),
    help: "Model of benign requests that `ids train` made; without it rules alone judge a request.",
    services: ALL,
  },
  idsDays: {
    env: "MEDCLOUDLET_IDS_DAYS",
    schema: count(1, 3650),
    fallback: "30",
    help: "Days that the intrusion detection keeps alerts and decisions; events a quarter of it.",
    services: ALL,
  },
  idsRequestLog: {
    env: "MEDCLOUDLET_IDS_REQUEST_LOG",
    schema: z.enum(["yes", "no"], { error: "expected yes or no" }),
    fallback: "no",
    help: "Whether requests are written down without their secrets, to train a model with: yes or no.",
    services: ALL,
  },
  meshMember: {
    env: "MEDCLOUDLET_MESH_MEMBER",
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, "expected up to 64 of a-z, 0-9, dot and hyphen")
      .optional(),
    help: "Id of this service in the mesh of intrusion detections, as the roster has it; without it it decides alone.",
    services: ALL,
  },
  meshSecret: {
    env: "MEDCLOUDLET_MESH_SECRET",
    schema: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "expected 64 hex digits")
      .optional(),
    help: "Secret of the mesh, the same at all members: pseudonyms of attackers are made under it.",
    services: ALL,
    secret: true,
  },
  meshOperators: {
    env: "MEDCLOUDLET_MESH_OPERATORS",
    schema: z.string().max(4096).optional(),
    help: "Public keys, by commas, of the operators whose signature on a roster counts.",
    services: ALL,
  },
  meshRoster: {
    env: "MEDCLOUDLET_MESH_ROSTER",
    schema: z.string().min(1).optional(),
    help: "File with the signed roster of the mesh; newer ones come from the peers.",
    services: ALL,
  },
  metricsToken: {
    env: "MEDCLOUDLET_METRICS_TOKEN",
    schema: z.string().min(16, "expected 16 characters or more").max(256).optional(),
    help: "Token that Prometheus sends to get /metrics; without it there is no /metrics.",
    services: ALL,
    secret: true,
  },
  ticketKeyDays: {
    env: "MEDCLOUDLET_TICKET_KEY_DAYS",
    schema: count(1, 3650),
    fallback: "30",
    help: "Days after which tickets are signed with a new key.",
    services: ["kdc"],
  },
  spoolCapacity: {
    env: "MEDCLOUDLET_SPOOL_CAPACITY",
    schema: count(1, 100_000_000),
    fallback: "1000000",
    help: "Batches that may wait for the cloud before devices are told to come back later.",
    services: ["cloudlet"],
  },
  studies: {
    env: "MEDCLOUDLET_STUDIES",
    schema: z.string({ error: "needed: what the service may release, and how carefully" }).min(1),
    help: "File or folder of JSON with the studies that researchers may have releases of.",
    services: ["research"],
  },
  researchKeystore: {
    env: "MEDCLOUDLET_RESEARCH_KEYSTORE",
    schema: z.string({ error: "needed: the keystore of the service's account" }).min(1),
    help: "Keystore of the account, role researcher, that patients consent to research with.",
    services: ["research"],
  },
  researchPassphrase: {
    env: "MEDCLOUDLET_RESEARCH_PASSPHRASE",
    schema: z.string({ error: "needed: the passphrase of the keystore" }).min(1),
    help: "Passphrase of that keystore.",
    services: ["research"],
    secret: true,
  },
  researchPassword: {
    env: "MEDCLOUDLET_RESEARCH_PASSWORD",
    schema: z.string({ error: "needed: the password of the service's account" }).min(1),
    help: "Password of that account at the KDC.",
    services: ["research"],
    secret: true,
  },
  researchSecondFactor: {
    env: "MEDCLOUDLET_RESEARCH_SECOND_FACTOR",
    schema: z.string({ error: "needed: the secret of the account's second factor" }).min(1),
    help: "Secret of that account's second factor, base32, as `account second-factor` shows it.",
    services: ["research"],
    secret: true,
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
type Value<N extends SettingName> = z.infer<(typeof SETTINGS)[N]["schema"]>;
/** The settings of a service, checked. */
export type Settings = { readonly [N in SettingName]: Value<N> };

const DEFAULT_PORTS: Readonly<Record<ServiceName, string>> = {
  kdc: "4701",
  cloud: "4702",
  cloudlet: "4703",
  research: "4704",
};
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Names and settings of one service. */
export function settingsOf(service: ServiceName): [SettingName, Setting][] {
  return (Object.entries(SETTINGS) as [SettingName, Setting][]).filter(([, { services }]) =>
    services.includes(service),
  );
}

function fromSecretFile(env: string, environment: NodeJS.ProcessEnv, faults: string[]): string | undefined {
  const file = environment[`${env}_FILE`];
  if (file === undefined || file === "") {
    return undefined;
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    faults.push(`${env}_FILE: cannot read ${file}`);
    return undefined;
  }
}

/**
 * Reads the settings of a service: flags before environment before configuration file before default. All faults
 * are listed together.
 * @throws MedcloudletError `CONFIG_INVALID`
 */
export function readSettings(
  service: ServiceName,
  sources: {
    readonly flags: Readonly<Partial<Record<SettingName, string>>>;
    readonly environment: NodeJS.ProcessEnv;
    readonly file: Readonly<Record<string, unknown>>;
  },
): Settings {
  const { flags, environment, file } = sources;
  const faults: string[] = [];
  const settings: Partial<Record<SettingName, unknown>> = {};
  const known = settingsOf(service);
  for (const [name, { env, schema, fallback, secret }] of known) {
    const fromEnvironment = environment[env] === "" ? undefined : environment[env];
    const text =
      flags[name] ??
      fromEnvironment ??
      (secret ? fromSecretFile(env, environment, faults) : undefined) ??
      (file[name] === undefined ? undefined : String(file[name])) ??
      (name === "port" ? DEFAULT_PORTS[service] : fallback);
    const parsed = schema.safeParse(text);
    if (parsed.success) {
      settings[name] = parsed.data;
    } else {
      faults.push(`${name} (${env}): ${parsed.error.issues[0]?.message ?? "invalid"}`);
    }
  }
  for (const name of Object.keys(file)) {
    if (!known.some(([knownName]) => knownName === name)) {
      faults.push(`${name}: the ${service} has no such setting`);
    }
  }
  const checked = settings as Settings;
  if (checked.host !== undefined && !LOOPBACK.test(checked.host) && checked.publicUrl === undefined) {
    faults.push(
      `publicUrl (${SETTINGS.publicUrl.env}): needed because ${checked.host} is reachable from other machines`,
    );
  }
  if (faults.length > 0) {
    throw new MedcloudletError(
      "CONFIG_INVALID",
      `The configuration of the ${service} has ${faults.length} fault${faults.length === 1 ? "" : "s"}:\n${faults
        .map((fault) => `  - ${fault}`)
        .join("\n")}`,
      { status: 400, details: { faults } },
    );
  }
  return checked;
}

/** The text of `.env.example`. */
export function exampleEnvironment(): string {
  const entries = (Object.values(SETTINGS) as Setting[]).map(({ env, help, fallback, services, secret }) => {
    const who = services.length === ALL.length ? "" : ` (${services.join(", ")})`;
    const file = secret ? ` May be given as ${env}_FILE=path instead.` : "";
    return `# ${help}${file}${who}\n#${env}=${fallback ?? ""}\n`;
  });
  return `# Settings of medcloudlet's services. Command-line flags come before these.\n\n${entries.join("\n")}`;
}
