import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { MedcloudletError } from "../../base/index.ts";

/** An address as pseudonyms are made of it, and what the lists of exempt addresses are asked. */
export interface Address {
  /** IPv4 as it is; of IPv6 the /64, which is one household's or one machine's to choose addresses from. */
  readonly text: string;
  readonly loopback: boolean;
  readonly exempt: boolean;
}

export interface Addresses {
  /** Never throws: what is no address (a socket that is gone, a proxy's word) is itself. */
  parse(ip: string | undefined): Address;
  /** Exempts one more. @throws MedcloudletError `CONFIG_INVALID` */
  exempt(range: string): void;
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** @throws MedcloudletError `CONFIG_INVALID` */
export function parseRange(text: string): Range {
  try {
    // ipaddr.js takes short and octal forms too, which people do not mean.
    if (isIP(text.replace(/\/\d{1,3}$/, "")) === 0) {
      throw new Error("no address");
    }
    if (text.includes("/")) {
      return ipaddr.parseCIDR(text);
    }
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch (cause) {
    throw new MedcloudletError(
      "CONFIG_INVALID",
      `"${text}" is no address and no range: give something like 192.0.2.7 or 10.20.0.0/16.`,
      { status: 400, cause },
    );
  }
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, [base, bits]: Range): boolean {
  return address.kind() === base.kind() && address.match([base, bits] as never);
}

/** Most addresses that are remembered with what was found of them. */
const REMEMBERED = 4096;

/**
 * Takes client addresses apart.
 * @param options `exempt`: addresses or CIDR ranges that nothing is ever held against; `loopback`: the same for one's own
 */
export function createAddresses(options: {
  readonly exempt: readonly string[];
  readonly loopback: boolean;
}): Addresses {
  const ranges = options.exempt.map(parseRange);
  const known = new Map<string, Address>();

  const look = (ip: string): Address => {
    if (isIP(ip) === 0) {
      return { text: ip.slice(0, 64), loopback: false, exempt: false };
    }
    // An IPv4 client of a socket that speaks both is ::ffff:192.0.2.7: one client, one name.
    const address = ipaddr.process(ip);
    const loopback = address.range() === "loopback";
    const exempt = (loopback && options.loopback) || ranges.some((range) => within(address, range));
    const text =
      address.kind() === "ipv4"
        ? address.toString()
        : `${(address as ipaddr.IPv6).parts
            .slice(0, 4)
            .map((part) => part.toString(16))
            .join(":")}::/64`;
    return { text, loopback, exempt };
  };

  return {
    parse(ip = "unknown") {
      let address = known.get(ip);
      if (address === undefined) {
        address = look(ip);
        if (known.size >= REMEMBERED) {
          known.clear();
        }
        known.set(ip, address);
      }
      return address;
    },
    exempt(range) {
      ranges.push(parseRange(range));
      known.clear();
    },
  };
}
