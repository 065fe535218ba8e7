/** The control socket of a tunnel: `wg show`, `wg set`, `wg setconf` and the like work on it as on wireguard-go. */
import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { constants } from 'node:os';
import { basename, dirname } from 'node:path';
import {
  formatUapiEnd,
  formatUapiSnapshot,
  type UapiChange,
  type UapiRefusal,
  type UapiSnapshot,
} from '../../config/uapi.ts';
import { parseUapiRequest } from '../../config/uapi-request.ts';
import { type RawRequest, RequestCutter } from './requests.ts';
import { CONTROL_FOLDER, listenAt, socketPath } from './socket-file.ts';

/** What stands behind the socket. One call is over before the next begins. */
export interface UapiTarget {
  /** With the secrets, which go nowhere but into the answer. */
  snapshot(): UapiSnapshot;
  /** All of it, or nothing and the reason. */
  apply(changes: readonly UapiChange[]): Promise<UapiRefusal | undefined>;
}

export interface UapiOptions {
  readonly target: UapiTarget;
  /** `wg show NAME`: up to fifteen letters, digits and `_=+.-`. */
  readonly name: string;
  /** Elsewhere `wg` does not look. */
  readonly folder?: string;
  /** What was not done and why: `wg` can print no more than the name of an error. Never has a secret in it. */
  readonly onRefused?: (refusal: UapiRefusal) => void;
  /** The file was removed by somebody else, as `wg-quick down` does on some systems to end the tunnel. */
  readonly onRemoved?: () => void;
}

/**
 * For 65,536 peers, as many as wireguard-go takes, each with a PSK, an IPv6 endpoint, a keepalive and two AllowedIPs:
 * 24 MB. Only the owner can connect, so this is against mistakes.
 */
const MOST_REQUEST_BYTES = 32 * 1024 * 1024;

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(constants.errno));
/** Negative, as wireguard-go has them: `wg` takes it back. What is not of errno.h is an EIO. */
const errnoOf = (code: string): number => -(NUMBERS.get(code) ?? constants.errno.EIO);

export class UapiServer {
  readonly path: string;
  readonly #target: UapiTarget;
  readonly #onRefused: UapiOptions['onRefused'];
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #watcher: FSWatcher | undefined;
  /** Resolved when everything that was asked so far is done. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Use {@link openUapi}. */
  constructor({ target, name, folder = CONTROL_FOLDER, onRefused }: UapiOptions) {
    this.path = socketPath(folder, name);
    this.#target = target;
    this.#onRefused = onRefused;
    // A client that asked and has no more to say still wants its answer.
    this.#server = createServer({ allowHalfOpen: true }, (client) => void this.#serve(client));
  }

  /** Use {@link openUapi}. */
  async open(onRemoved?: () => void): Promise<void> {
    await listenAt(this.#server, dirname(this.path), this.path);
    // One client that could not be accepted, when files have run out; the next may do.
    this.#server.on('error', () => {});
    if (onRemoved !== undefined) this.#watch(onRemoved);
  }

  /** Ends every connection and removes the file. What is being done is finished first, and nothing is begun. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watcher?.close();
    for (const client of this.#clients) client.destroy();
    await this.#last;
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(client: Socket): Promise<void> {
    this.#clients.add(client);
    client.on('error', () => {}); // it went away, and nobody is left to be told
    const cutter = new RequestCutter(MOST_REQUEST_BYTES);
    const pieces: AsyncIterable<unknown> = client;
    try {
      for await (const piece of pieces) {
        if (!(piece instanceof Uint8Array)) continue;
        // One after the other: who does not read its answers is not read from either.
        for (const request of cutter.push(piece)) await write(client, await this.#inTurn(request));
      }
    } catch {
      // Broken off: what was asked before is done, what was not asked to its end is not.
    } finally {
      this.#clients.delete(client);
      client.destroy();
    }
  }

  #inTurn(request: RawRequest): Promise<string> {
    const answer = this.#last.then(() => this.#answer(request));
    this.#last = answer;
    return answer;
  }

  /** Never rejects. */
  async #answer(request: RawRequest): Promise<string> {
    if (this.#closed) return '';
    if (request.kind === 'too-large') {
      const message = `the request is larger than ${MOST_REQUEST_BYTES} bytes`;
      return this.#refuse({ code: 'EMSGSIZE', problems: [{ message }] });
    }
    const read = parseUapiRequest(request.text);
    if (!read.ok) return this.#refuse(read.error);
    try {
      if (read.value.kind === 'get') return formatUapiSnapshot(this.#target.snapshot()) + formatUapiEnd(0);
      const refusal = await this.#target.apply(read.value.changes);
      return refusal === undefined ? formatUapiEnd(0) : this.#refuse(refusal);
    } catch (error) {
      return this.#refuse({ code: 'EIO', problems: [{ message: `the tunnel failed at it: ${String(error)}` }] });
    }
  }

  #refuse(refusal: UapiRefusal): string {
    queueMicrotask(() => this.#onRefused?.(refusal)); // its faults are not the client's
    return formatUapiEnd(errnoOf(refusal.code));
  }

  #watch(onRemoved: () => void): void {
    const inode = (): number | undefined => lstatSync(this.path, { throwIfNoEntry: false })?.ino;
    const ours = inode();
    const name = basename(this.path);
    try {
      this.#watcher = watch(dirname(this.path), { persistent: false }, (_, file) => {
        if (this.#closed || (file !== null && file !== name)) return;
        if (inode() === ours) return;
        this.#watcher?.close();
        onRemoved();
      });
      this.#watcher.on('error', () => {}); // the folder itself went, which was told as the file's removal
    } catch {
      // The system has no more watches to give: the removal goes unnoticed, and all else works.
    }
  }
}

/** Resolves when the system has taken it. */
function write(client: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.write(text, 'latin1', (error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}

/**
 * Makes /var/run/wireguard/NAME.sock, for the owner alone, and answers on it. Rejects with an UapiError where another
 * process does so already; the file of one that is gone is replaced. Not for worker threads, which have no umask.
 */
export async function openUapi(options: UapiOptions): Promise<UapiServer> {
  const server = new UapiServer(options);
  await server.open(options.onRemoved);
  return server;
}
