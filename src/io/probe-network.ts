/** The probe's sockets: one connected to the far end, which hears of ICMP errors, and one for answers from elsewhere. */
import { type Endpoint, endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { SocketTrouble } from './linux/icmp-error.ts';
import { loadLibc } from './linux/libc.ts';
import { Poller } from './linux/poller.ts';
import { LinuxUdpSocket } from './linux/udp.ts';
import { errorCode, familyOf, type UdpHandlers, UdpSocket } from './udp.ts';

export interface ProbeSocket {
  /** Elsewhere than to the far end too: who answers from another address is answered there. */
  send(bytes: Bytes, to: Endpoint): void;
  close(): Promise<void>;
}

export interface ProbeNetwork {
  /** Gives the error code instead where there is no way to that address at all. */
  open(to: Endpoint, handlers: Required<UdpHandlers>): Promise<ProbeSocket | string>;
}

/**
 * WireGuard takes answers from any address, a connected socket does not. So a second socket shares its port: Linux
 * gives a datagram to the connected one if that fits it, and to the other if not.
 */
export const plainNetwork: ProbeNetwork = {
  async open(to, handlers) {
    const connected = new UdpSocket(familyOf(to), handlers, { shared: true });
    const ear = new UdpSocket(familyOf(to), { onDatagram: handlers.onDatagram }, { shared: true });
    const close = async (): Promise<void> => {
      await Promise.all([connected.close(), ear.close()]);
    };
    try {
      await connected.bind(0);
      await connected.connect(to);
      await ear.bind(connected.port);
    } catch (error) {
      await close();
      return errorCode(error);
    }
    const send = (bytes: Bytes, where: Endpoint): void => {
      const socket = where.text === to.text ? connected : ear;
      socket.send({ bytes, to: where }, (code) => handlers.onError(code, where));
    };
    return { send, close };
  },
};

/** Where there is koffi one socket does all of it: the system queues each ICMP error for it, with type, code and sender. */
export const systemNetwork: ProbeNetwork = {
  async open(to, handlers) {
    const libc = await loadLibc();
    if (!libc.ok) return plainNetwork.open(to, handlers);
    const poller = new Poller(libc.value);
    try {
      const { onDatagram, onError } = handlers;
      const onTrouble = ({ code, icmp, to: about }: SocketTrouble): void => onError(code, about, icmp);
      const any = endpoint(new Uint8Array(to.ip.length), 0);
      const socket = new LinuxUdpSocket(libc.value, poller, { onDatagram, onTrouble }, any);
      return {
        send: (bytes, where) => socket.send({ bytes, to: where }, (code) => onError(code, where)),
        async close() {
          socket.close();
          poller.close();
        },
      };
    } catch (error) {
      poller.close();
      return errorCode(error);
    }
  },
};
