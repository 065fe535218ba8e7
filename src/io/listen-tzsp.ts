/** Listens for TZSP over UDP: the frames in it become a capture that goes on until the listener is closed. */
import { type FileHandle, open } from 'node:fs/promises';
import { formatIp } from '../base/address.ts';
import { type Bytes, concatAll } from '../base/bytes.ts';
import { type TzspSender, TzspStream } from '../capture/tzsp-stream.ts';
import type { Source } from '../report/diagnose.ts';
import type { Clock } from './clock.ts';
import { FileError, inWords } from './files.ts';
import { UdpPort } from './udp.ts';

export interface TzspOptions {
  /** 0 for any. */
  readonly port: number;
  /** Only this address is listened on; all of both families unless told. */
  readonly address?: string;
  readonly clock: Pick<Clock, 'now'>;
  /** A file that is written as the frames come: pcapng, replaced if it is there. */
  readonly write?: string;
  /** Called at the first datagram of each sender. */
  onSender?(address: string): void;
}

/** What waits to be analyzed; beyond it datagrams are dropped, and counted. */
const QUEUE_BYTES = 64 * 1024 * 1024;

export class TzspListener {
  readonly #stream = new TzspStream();
  readonly #options: TzspOptions;
  #port: UdpPort | undefined;
  #file: FileHandle | undefined;
  #queue: Bytes[];
  #queuedBytes = 0;
  #closed = false;
  #wake = (): void => {};
  /** Datagrams that came faster than they could be analyzed. */
  overrun = 0;

  private constructor(options: TzspOptions) {
    this.#options = options;
    this.#queue = [this.#stream.begin()];
  }

  /** Rejects with an UdpError, or with a FileError where the file cannot be written. */
  static async open(options: TzspOptions): Promise<TzspListener> {
    const listener = new TzspListener(options);
    const { port, address, write } = options;
    listener.#port = await UdpPort.open(
      { onDatagram: (bytes, from) => listener.#take(bytes, formatIp(from.ip)) },
      { port, ...(address === undefined ? {} : { addresses: [address] }) },
    );
    try {
      // only once the port is ours: whoever listens there already may be writing that file
      if (write !== undefined) listener.#file = await open(write, 'w');
    } catch (error) {
      await listener.close();
      throw unwritable(write ?? '', error);
    }
    return listener;
  }

  get port(): number {
    return this.#port?.port ?? 0;
  }

  get senders(): readonly TzspSender[] {
    return this.#stream.senders;
  }

  /** Datagrams from more addresses than are told apart. */
  get crowded(): number {
    return this.#stream.crowded;
  }

  /** Ends once the listener is closed and what came before that is read. */
  source(name: string): Source {
    const file = this.#file;
    const path = this.#options.write ?? '';
    return { name, open: () => (file === undefined ? this.#chunks() : written(file, path, this.#chunks())) };
  }

  /** No more datagrams are taken. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#port?.close();
  }

  #take(datagram: Bytes, from: string): void {
    if (this.#closed) return;
    if (this.#queuedBytes > QUEUE_BYTES) {
      this.overrun++;
      return;
    }
    const known = this.senders.length;
    const bytes = this.#stream.take(datagram, from, this.#options.clock.now().wall);
    if (this.senders.length > known) this.#options.onSender?.(from);
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#wake();
  }

  async *#chunks(): AsyncGenerator<Bytes> {
    for (;;) {
      if (this.#queue.length > 0) {
        const chunk = concatAll(this.#queue);
        this.#queue = [];
        this.#queuedBytes = 0;
        yield chunk;
      } else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** The same bytes, each in the file before it is handed on. */
async function* written(file: FileHandle, path: string, chunks: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  try {
    for await (const chunk of chunks) {
      try {
        await file.writeFile(chunk);
      } catch (error) {
        throw unwritable(path, error);
      }
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

function unwritable(path: string, error: unknown): unknown {
  const told = inWords(path, error);
  return told instanceof FileError ? new FileError(path, `it cannot be written: ${told.message}`, told.hint) : told;
}
