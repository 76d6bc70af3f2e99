import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { launchCloud, launchCloudlet, launchKdc, readSettings, type ServiceName } from "../apps/index.ts";
import { type Clock, randomBytes, toHex } from "../base/index.ts";
import {
  admitMember,
  applyTo,
  type CommunityMember,
  createCommunityMember,
  createIdentity,
  createKdcClient,
  createMemberKeys,
  createModerator,
  createRelay,
  foundCommunity,
  issuerSecrets,
  joinCommunity,
  type KdcSession,
  type MemberState,
  type Moderator,
  newMemberState,
  openMemberKeys,
  type PersonKeys,
} from "../client/index.ts";
import type { Community } from "../community/index.ts";
import { createLog, type RunningService } from "../http/index.ts";
import { demoCode, enrolDemoFactor } from "./demo-authenticator.ts";
import { type Addresses, createToolkit } from "./home.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A clock that the demo moves on by weeks; everything that runs in it goes by this one. */
export type DemoClock = Clock & { advance(ms: number): void };

/** One member at a time at the screen: state is kept in memory and goes with the demo. */
export interface DemoCommunity {
  readonly addresses: Addresses;
  readonly clock: DemoClock;
  readonly community: Community;
  join(
    record: string,
    codes: readonly string[],
    standing?: "patient" | "clinician",
  ): Promise<CommunityMember>;
  moderate(): Promise<Moderator>;
  close(): Promise<void>;
}

interface Staff {
  readonly keys: PersonKeys;
  readonly accountId: string;
  readonly card: { readonly accountId: string; readonly handle: string; readonly identity: string };
  /** A session of now: weeks go by in this demo, and sessions end. */
  session(): Promise<KdcSession>;
}

function demoClock(): DemoClock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    advance(ms) {
      ahead += ms;
    },
  };
}

/** Brings KDC, cloud and cloudlet up in this process, with staff and a community on the cloudlet. */
export async function startDemoCommunity(options: {
  readonly title: string;
  readonly openingQuestions: readonly string[];
  readonly onStep: (text: string) => void;
}): Promise<DemoCommunity> {
  const { onStep } = options;
  const clock = demoClock();
  const temporary = temporaryFolder(join(tmpdir(), "medcloudlet-community-"));
  const folder = temporary.path;
  const running: RunningService[] = [];
  const destination = pino.destination({ dest: join(folder, "services.log"), sync: true, mode: 0o600 });
  const launchOptions = (service: ServiceName, flags: Readonly<Record<string, string>>) => ({
    settings: readSettings(service, {
      flags: {
        dataDir: folder,
        databasePrefix: `medcloudlet_community_${toHex(randomBytes(3))}`,
        port: "0",
        ...flags,
      },
      environment: process.env,
      file: {},
    }),
    clock,
    log: createLog({ service, level: "info", destination }),
  });
  const close = async (): Promise<void> => {
    for (const service of running.reverse()) {
      await service.close();
    }
    await temporary.remove();
  };

  try {
    onStep("starting the KDC, the cloud and the cloudlet");
    const kdcService = await launchKdc(launchOptions("kdc", {}));
    running.push(kdcService);
    const cloud = await launchCloud(launchOptions("cloud", { kdcUrl: kdcService.url }));
    running.push(cloud);
    const { suite, http } = await createToolkit(clock);
    const kdc = createKdcClient({ http, url: kdcService.url });

    const staff = async (handle: string, invitation: string): Promise<Staff> => {
      const { keys, statement } = await createIdentity(suite, clock);
      const password = toHex(randomBytes(16));
      const { accountId } = await kdc.register({ invitation, handle, password, identity: statement });
      const home = join(folder, handle);
      await mkdir(home, { mode: 0o700 });
      await enrolDemoFactor(await kdc.login(handle, password), { home, password, clock });
      return {
        keys,
        accountId,
        card: { accountId, handle, identity: statement },
        session: async () => kdc.login(handle, password, { code: await demoCode(home, clock) }),
      };
    };

    onStep("making a doctor, a moderator and an operator");
    const operator = await staff(
      "night-shift",
      (await readFile(kdcService.firstInvitation as string, "utf8")).trim(),
    );
    const session = await operator.session();
    const doctor = await staff("dr-heron", (await session.invite("doctor")).code);
    const moderator = await staff("fair-owl", (await session.invite("moderator")).code);
    const invitation = (await session.invite("cloudlet")).code;
    const cloudlet = await launchCloudlet(
      launchOptions("cloudlet", { kdcUrl: kdcService.url, cloudUrl: cloud.url, invitation }),
    );
    running.push(cloudlet);

    onStep("founding the community");
    const relay = createRelay({ http, cloudletUrl: cloudlet.url });
    const { community } = await foundCommunity({
      plan: {
        title: options.title,
        issuers: [doctor.card],
        moderators: [moderator.card],
        openingQuestions: options.openingQuestions,
      },
      clock,
      relay,
      staff: await session.staffTicket(operator.keys.signing),
      keepSeed: async () => {},
    });
    const id = community.community;
    const statement = await relay.community(id);
    const secrets = issuerSecrets(randomBytes(32), id);

    return {
      addresses: { kdc: kdcService.url, cloud: cloud.url, cloudlet: cloudlet.url },
      clock,
      community,
      async join(record, codes, standing = "patient") {
        const keys = await createMemberKeys(suite, clock);
        const { file } = await admitMember({
          suite,
          clock,
          issuer: { id: doctor.accountId, key: doctor.keys.signing, secrets },
          community: id,
          application: await applyTo(id, await openMemberKeys(suite, keys.secrets), clock),
          patient: record,
          codes,
          standing,
          days: 3650,
        });
        let state = newMemberState(statement, keys.secrets);
        const memory = {
          keep: async (next: MemberState) => {
            state = next;
          },
        };
        await joinCommunity({ suite, clock, relay, state, memory, admission: file });
        return createCommunityMember({ suite, clock, relay, state, memory });
      },
      async moderate() {
        const own = await moderator.session();
        return createModerator({
          suite,
          clock,
          keys: moderator.keys,
          moderator: moderator.accountId,
          community,
          relay,
          staff: await own.staffTicket(moderator.keys.signing),
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
