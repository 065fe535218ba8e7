/** From which of its addresses this machine would write to another: asked of the routes, as a connected socket does. */
import { type Endpoint, endpoint } from '../../base/address.ts';
import type { Libc } from './libc.ts';
import { ADDRESS_BYTES, AF_INET, AF_INET6, int, readAddress, writeAddress } from './socket-address.ts';

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_MARK = 36;
/** Far ends that are remembered; routes change seldom, and what is here only labels a capture. */
const MOST_KNOWN = 1024;

/** Answers with the port that is asked for; undefined where there is no way. Routes may go by the mark. */
export function sourceFor(libc: Libc, mark: number): (to: Endpoint, port: number) => Endpoint | undefined {
  const known = new Map<string, Endpoint['ip'] | undefined>();
  return (to, port) => {
    if (!known.has(to.text)) {
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(to.text, ask(libc, to, mark));
    }
    const ip = known.get(to.text);
    return ip === undefined ? undefined : endpoint(ip, port);
  };
}

function ask(libc: Libc, to: Endpoint, mark: number): Endpoint['ip'] | undefined {
  const fd = libc.socket(to.ip.length === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  if (mark !== 0) libc.setsockopt(fd, SOL_SOCKET, SO_MARK, int(mark), 4);
  const address = new Uint8Array(ADDRESS_BYTES);
  const reached = libc.connect(fd, address, writeAddress(to, address)) === 0;
  const named = reached && libc.getsockname(fd, address, new Uint32Array([ADDRESS_BYTES])) === 0;
  libc.close(fd);
  return named ? readAddress(address)?.ip : undefined;
}
