import type { IdsMember } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { Measured, Network, NetworkEdge, NetworkNode, NetworkQuestions } from "./network-questions.ts";
import type { Post } from "./posts.ts";

/** Alerts live an hour: who was silent for longer says nothing at the moment. */
const SILENT_AFTER_MS = 3_600_000;

/** What one service said, or why it said nothing. */
interface Said {
  readonly post: Post;
  readonly members: readonly IdsMember[] | null;
  readonly trouble: string | null;
}

const bare = (url: string) => url.replace(/\/+$/, "");
const latest = (times: readonly (number | null)[]): number | null =>
  times.reduce<number | null>(
    (newest, time) => (time === null || time < (newest ?? 0) ? newest : time),
    null,
  );

/** Puts together what every service said of the members. */
export function networkOf(said: readonly Said[], now: number): Network {
  const members = new Map<string, { readonly member: IdsMember["member"]; readonly measured: Measured[] }>();
  for (const { post, members: heard } of said) {
    for (const { member, alerts, contact, ...rest } of heard ?? []) {
      const known = members.get(member.id) ?? { member, measured: [] };
      known.measured.push({ by: post.id, ...rest, alerts, waiting: contact?.waiting ?? 0 });
      members.set(member.id, known);
    }
  }
  const postOf = (url: string) => said.find(({ post }) => bare(post.url) === bare(url));
  const ofMembers = [...members.values()].map(({ member, measured }): NetworkNode => {
    const own = postOf(member.url);
    const lastHeard = latest(measured.map((one) => one.lastHeard));
    // Each alert goes to everybody: whoever had the most of them knows best.
    const alerts = Math.max(...measured.map((one) => one.alerts));
    const waiting = Math.max(...measured.map((one) => one.waiting));
    const heard = lastHeard !== null && now - lastHeard < SILENT_AFTER_MS ? "heard" : "silent";
    return {
      ...{ id: member.id, operator: member.operator, url: member.url },
      service: own?.post.id ?? null,
      state: own === undefined ? heard : own.members === null ? "away" : "here",
      trouble: own?.trouble ?? null,
      ...{ lastHeard, alerts, waiting, signingKey: member.signingKey ?? null, measured },
    };
  });
  const alone = said
    .filter(({ post }) => !ofMembers.some(({ service }) => service === post.id))
    .map(
      ({ post, members: answered, trouble }): NetworkNode => ({
        ...{ id: post.id, operator: null, url: post.url, service: post.id },
        state: answered === null ? "away" : "here",
        ...{ trouble, lastHeard: null, alerts: null, waiting: 0, signingKey: null, measured: [] },
      }),
    );
  const edges = new Map<string, NetworkEdge>();
  for (const { post, members: heard } of said) {
    const from = ofMembers.find(({ service }) => service === post.id)?.id ?? post.id;
    for (const { member, lastHeard } of heard ?? []) {
      if (member.id !== from) {
        const between = [from, member.id].sort() as [string, string];
        const key = JSON.stringify(between);
        edges.set(key, { between, lastHeard: latest([lastHeard, edges.get(key)?.lastHeard ?? null]) });
      }
    }
  }
  return {
    nodes: [...ofMembers, ...alone].sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: [...edges.values()],
    meshOff: members.size === 0,
    at: now,
  };
}

export function createNetworkRoom(work: Work, posts: readonly Post[]): Answers<NetworkQuestions> {
  return {
    async network() {
      const said = await Promise.all(
        posts.map(async (post): Promise<Said> => {
          try {
            return { post, members: await post.ids.members(), trouble: null };
          } catch (error) {
            return { post, members: null, trouble: error instanceof Error ? error.message : String(error) };
          }
        }),
      );
      return networkOf(said, work.clock.now());
    },
  };
}
