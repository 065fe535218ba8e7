/** One of the crowd that answers to its address: it comes back with the cookie it was given, as often as it likes. */
import { randomFillSync } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { type Endpoint, formatIp } from '../../../src/base/address.ts';
import { type Bytes, putU32le } from '../../../src/base/bytes.ts';
import type { PublicKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { TYPE } from '../../../src/wg/constants.ts';
import { openCookieReply } from '../../../src/wg/cookie.ts';
import { cookieKey, mac1Key, stampMacs } from '../../../src/wg/mac.ts';
import { decodeCookieReply } from '../../../src/wg/message/cookie-reply.ts';
import { INITIATION } from '../../../src/wg/message/initiation.ts';

/** Right in its MACs, and meaningless otherwise. */
export function emptyInitiation(responder: PublicKey, cookie?: Bytes): Bytes {
  const message = new Uint8Array(INITIATION.size);
  randomFillSync(message, 4, INITIATION.mac1.at - 4);
  putU32le(message, 0, TYPE.initiation);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, responder), cookie, message);
  return message;
}

export class Stranger {
  readonly #socket: Socket;
  readonly #to: Endpoint;
  readonly #responder: PublicKey;

  private constructor(socket: Socket, to: Endpoint, responder: PublicKey) {
    this.#socket = socket;
    this.#to = to;
    this.#responder = responder;
  }

  static async at(address: string, to: Endpoint, responder: PublicKey): Promise<Stranger> {
    const socket = createSocket('udp4');
    socket.on('error', () => {});
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    return new Stranger(socket, to, responder);
  }

  get endpoint(): string {
    return `${this.#socket.address().address}:${this.#socket.address().port}`;
  }

  send(message: Bytes): Promise<void> {
    return new Promise((resolve) => this.#socket.send(message, this.#to.port, formatIp(this.#to.ip), () => resolve()));
  }

  /** Asks once. Undefined for any other answer than a cookie that opens, or none in that time. */
  async askForCookie(waitMs: number): Promise<Bytes | undefined> {
    const message = emptyInitiation(this.#responder);
    const answer = new Promise<Bytes | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), waitMs);
      this.#socket.once('message', (bytes) => {
        clearTimeout(timer);
        resolve(bytes);
      });
    });
    await this.send(message);
    const bytes = await answer;
    const decoded = bytes === undefined ? undefined : decodeCookieReply(bytes);
    if (decoded?.ok !== true) return undefined;
    const mac1 = message.subarray(INITIATION.mac1.at, INITIATION.mac2.at);
    const opened = openCookieReply(nodeCrypto, cookieKey(nodeCrypto, this.#responder), decoded.value, mac1);
    return opened.ok ? opened.value : undefined;
  }

  close(): void {
    this.#socket.close();
  }
}
