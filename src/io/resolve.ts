/** The endpoints of a configuration, host names looked up: every address a name has, in the system's order. */
import { lookup } from 'node:dns/promises';
import { type Endpoint, endpoint, parseIp } from '../base/address.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { ConfEndpoint } from '../config/wg-conf.ts';
import { errorCode } from './udp.ts';

/** All addresses of a name as the system sees it (hosts file, DNS); rejects where there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

export interface LookupFault {
  readonly host: string;
  /** ENOTFOUND and the like. */
  readonly code: string;
}

/** Each address once. An address that is written as one is not looked up. */
export async function resolveEndpoint(
  { host, port, ip }: ConfEndpoint,
  lookUp: Lookup = systemLookup,
): Promise<Result<readonly Endpoint[], LookupFault>> {
  if (ip !== undefined) return ok([endpoint(ip, port)]);
  try {
    const found = new Map<string, Endpoint>();
    for (const text of await lookUp(host)) {
      const address = parseIp(text);
      if (address === undefined) continue;
      const one = endpoint(address, port);
      found.set(one.text, one);
    }
    return found.size === 0 ? fail({ host, code: 'ENOTFOUND' }) : ok([...found.values()]);
  } catch (error) {
    return fail({ host, code: errorCode(error) });
  }
}
