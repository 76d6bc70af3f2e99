import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * What limits by address count under: IPv4 as it is; of IPv6 the /64, for one machine chooses among 2^64 addresses and
 * could otherwise have a budget, and an entry in memory, for each.
 * @param ip as Express gives it; never throws
 */
export function addressKey(ip: string | undefined): string {
  if (ip === undefined || !isIPv6(ip)) {
    return ip ?? "unknown";
  }
  const address = ipaddr.process(ip);
  return address.kind() === "ipv4"
    ? address.toString()
    : `${(address as ipaddr.IPv6).parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")}::/64`;
}
