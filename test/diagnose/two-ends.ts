/** The two ends of one tunnel as texts: a client that writes to some Endpoint, and the server as a router. */
import { CLIENT, SERVER } from './keys.ts';
import { quick, ros } from './texts.ts';

/** A client with this Endpoint and these AllowedIPs; further lines go under [Interface]. */
export const client = (endpoint: string, allowed = '10.66.66.0/24', ...lines: readonly string[]): string =>
  quick(
    CLIENT.secret,
    'Address = 10.66.66.2/24',
    ...lines,
    `[Peer] ${SERVER.public}`,
    `Endpoint = ${endpoint}`,
    `AllowedIPs = ${allowed}`,
  );

/** The server as a router at 198.51.100.7, its key shown by a print. */
const PRINT = ['/interface wireguard', `add listen-port=51820 name=wg1 private-key="${SERVER.secret}"`];
export const routerServer = (wan: string, gateway: string, ...peer: readonly string[]): string =>
  ros(
    ...PRINT,
    '/interface wireguard peers',
    `add allowed-address=10.66.66.2/32 interface=wg1 public-key="${CLIENT.public}"${peer.join('')}`,
    '/ip address',
    'add address=10.66.66.1/24 interface=wg1',
    `add address=${wan} interface=ether1`,
    '/ip route',
    `add dst-address=0.0.0.0/0 gateway=${gateway}`,
  );
export const ROUTER = routerServer('198.51.100.7/29', '198.51.100.1');

/** The client as a router that writes to this address. */
export const routerClient = (endpoint: string, ...lines: readonly string[]): string =>
  ros(
    '/interface wireguard',
    'add listen-port=13231 name=wg1',
    '/interface wireguard peers',
    `add allowed-address=10.66.66.0/24 endpoint-address=${endpoint} endpoint-port=51820 interface=wg1 persistent-keepalive=25s public-key="${SERVER.public}"`,
    '/ip address',
    'add address=10.66.66.2/24 interface=wg1',
    ...lines,
  );
