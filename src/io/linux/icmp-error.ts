/** What IP_RECVERR tells of an ICMP error that a datagram met: struct sock_extended_err and who sent it (ip(7), errqueue.h). */
import type { Endpoint } from '../../base/address.ts';
import { formatIp } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { IcmpReport } from '../udp.ts';
import { errnoName } from './libc.ts';
import { readAddress, readAncillary } from './socket-address.ts';

export interface SocketTrouble {
  /** ECONNREFUSED and the like. */
  readonly code: string;
  /** Undefined when the error arose on this machine. */
  readonly icmp: IcmpReport | undefined;
  /** Where the datagram was sent to. */
  readonly to: Endpoint | undefined;
}

const SOL_IP = 0;
const SOL_IPV6 = 41;
export const IP_RECVERR = 11;
export const IPV6_RECVERR = 25;
const ORIGIN_ICMP = 2;
const ORIGIN_ICMP6 = 3;
/** errno, origin, type, code, pad, info, data. */
const EXTENDED_BYTES = 16;

/** From one message of the error queue: its ancillary data, and the address the datagram was meant for. */
export function readTrouble(control: Bytes, to: Endpoint | undefined): SocketTrouble | undefined {
  for (const { level, type, data } of readAncillary(control)) {
    const is4 = level === SOL_IP && type === IP_RECVERR;
    if (!(is4 || (level === SOL_IPV6 && type === IPV6_RECVERR)) || data.length < EXTENDED_BYTES) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const code = errnoName(view.getUint32(0, true));
    const origin = view.getUint8(4);
    const offender = readAddress(data.subarray(EXTENDED_BYTES));
    if ((origin !== ORIGIN_ICMP && origin !== ORIGIN_ICMP6) || offender === undefined)
      return { code, icmp: undefined, to };
    const mtu = view.getUint32(8, true);
    return {
      code,
      to,
      icmp: {
        family: origin === ORIGIN_ICMP ? 4 : 6,
        type: view.getUint8(5),
        code: view.getUint8(6),
        from: formatIp(offender.ip),
        ...(code === 'EMSGSIZE' ? { mtu } : {}),
      },
    };
  }
  return undefined;
}
