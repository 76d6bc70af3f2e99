import type { SharedAlert, SubjectKind } from "./contract.ts";

/** What one peer says of one suspect. */
export interface HeardVote {
  readonly alert: SharedAlert;
  readonly heardAt: number;
  /** Harmless deeds that this service saw of the suspect since. */
  harmless: number;
  /** Whether this service has made up its mind if the peer was right. */
  judged: boolean;
}

/** Suspects of one peer that are remembered: who floods, forgets their own. */
const MOST_SUSPECTS = 2000;
/** Ids of one peer's alerts that are recognised when they come again. */
const MOST_IDS = 8000;

/** Dropped at once: a Map whose oldest key is dropped one at a time walks over its holes each time. */
const AT_ONCE = 500;

function dropOldest(keys: Iterable<string>, count: number, drop: (key: string) => void): void {
  let left = count;
  for (const key of keys) {
    if (left === 0) {
      return;
    }
    drop(key);
    left--;
  }
}

/** How a suspect is called in the mesh. */
export function meshKey(kind: SubjectKind, shared: string): string {
  return `${kind}:${shared}`;
}

interface Peer {
  readonly votes: Map<string, HeardVote>;
  readonly ids: Set<string>;
}

/** The peers' alerts as votes: one a member and suspect, the strongest, for a while. */
export interface HeardVotes {
  /** False where this alert was known. */
  add(alert: SharedAlert, heardAt: number): boolean;
  /** A member's vote of at most that age. */
  of(member: string, key: string, now: number): HeardVote | undefined;
  /** True where anybody may have voted on this suspect: quick, and may be out of date. */
  warned(key: string): boolean;
  /** Takes back all votes on a suspect. */
  clear(key: string): void;
  keepOnly(members: ReadonlySet<string>): void;
  /** Votes held. */
  readonly size: number;
}

/** @param lastsMs how long a vote counts, asked each time as settings change */
export function createHeardVotes(lastsMs: () => number): HeardVotes {
  const peers = new Map<string, Peer>();
  const warnings = new Map<string, number>();

  const forget = (votes: Peer["votes"], key: string): void => {
    if (votes.delete(key)) {
      const left = (warnings.get(key) ?? 0) - 1;
      if (left > 0) {
        warnings.set(key, left);
      } else {
        warnings.delete(key);
      }
    }
  };

  return {
    add(alert, heardAt) {
      const peer: Peer = peers.get(alert.member) ?? { votes: new Map(), ids: new Set() };
      peers.set(alert.member, peer);
      if (peer.ids.has(alert.id)) {
        return false;
      }
      peer.ids.add(alert.id);
      if (peer.ids.size > MOST_IDS + AT_ONCE) {
        dropOldest(peer.ids.keys(), AT_ONCE, (id) => peer.ids.delete(id));
      }
      const key = meshKey(alert.subject.kind, alert.subject.shared);
      const known = peer.votes.get(key);
      const live = known !== undefined && heardAt - known.heardAt <= lastsMs();
      // Of several alerts the strongest stands, and of equals the one with the lower id: order does not matter.
      const stronger =
        !live ||
        alert.score > known.alert.score ||
        (alert.score === known.alert.score && (heardAt > known.heardAt || alert.id < known.alert.id));
      if (!stronger) {
        return true;
      }
      forget(peer.votes, key);
      peer.votes.set(key, {
        alert,
        heardAt,
        harmless: live ? known.harmless : 0,
        judged: live && known.judged,
      });
      warnings.set(key, (warnings.get(key) ?? 0) + 1);
      if (peer.votes.size > MOST_SUSPECTS + AT_ONCE) {
        // The oldest first, as votes are set anew when they are renewed.
        dropOldest(peer.votes.keys(), AT_ONCE, (oldest) => forget(peer.votes, oldest));
      }
      return true;
    },
    of(member, key, now) {
      const vote = peers.get(member)?.votes.get(key);
      return vote !== undefined && now - vote.heardAt <= lastsMs() ? vote : undefined;
    },
    warned: (key) => warnings.has(key),
    clear(key) {
      for (const { votes } of peers.values()) {
        forget(votes, key);
      }
    },
    keepOnly(members) {
      for (const [member, { votes }] of peers) {
        if (!members.has(member)) {
          for (const key of [...votes.keys()]) {
            forget(votes, key);
          }
          peers.delete(member);
        }
      }
    },
    get size() {
      return [...peers.values()].reduce((sum, { votes }) => sum + votes.size, 0);
    },
  };
}
