import { addressKey, createRateLimiter, type RateLimit } from "../http/index.ts";

/** Ten wrong tries in a quarter of an hour for one handle from one address, or from one known program. */
const LIMIT: RateLimit = { points: 10, seconds: 900 };
/** However many addresses somebody guesses from. */
const LIMIT_OF_HANDLE: RateLimit = { points: 100, seconds: 3600 };

/** Limits tries at secrets that people remember. */
export interface Throttle {
  /**
   * Counts a try before anything of it is looked at, and gives what forgets the tries once one was right.
   * `client` is a program known to the account: it is counted apart, so that nobody else can use its tries up.
   * @throws MedcloudletError `RATE_LIMITED`
   */
  attempt(by: {
    readonly handle: string;
    readonly address: string | undefined;
    readonly client?: string | null;
  }): Promise<() => Promise<void>>;
}

export function createThrottle(
  limits: { readonly single: RateLimit; readonly ofHandle: RateLimit } = {
    single: LIMIT,
    ofHandle: LIMIT_OF_HANDLE,
  },
): Throttle {
  const single = createRateLimiter(limits.single);
  const ofHandle = createRateLimiter(limits.ofHandle);
  return {
    async attempt({ handle, address, client = null }) {
      if (client !== null) {
        await single.consume(client);
        return () => single.reset(client);
      }
      const key = `${handle} ${addressKey(address)}`;
      await single.consume(key);
      await ofHandle.consume(handle);
      return async () => {
        await single.reset(key);
        await ofHandle.reset(handle);
      };
    },
  };
}
