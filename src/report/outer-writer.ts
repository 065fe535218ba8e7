/** Frames as they were captured, as pcapng, with the secrets that open them in front of those that need them. */
import { type Bytes, utf8 } from '../base/bytes.ts';
import type { Frame } from '../capture/frame.ts';
import { SECRETS_WIREGUARD } from '../capture/pcapng-blocks.ts';
import { pcapngBlock } from '../capture/write-pcapng.ts';
import type { CaptureName } from './inner-writer.ts';

export class OuterWriter {
  readonly #emit: (bytes: Bytes) => void;
  readonly #application: string;
  readonly #interfaces = new Map<string, number>();
  #begun = false;
  frames = 0;
  secretsBlocks = 0;

  constructor(application: string, emit: (bytes: Bytes) => void) {
    this.#application = application;
    this.#emit = emit;
  }

  frame(frame: Frame, capture: CaptureName): void {
    this.#begin();
    const { time, bytes, wireLength, direction } = frame;
    let interfaceId = this.#interfaceOf(frame, capture);
    // what has no time is on the first interface of its section
    if (time === undefined && interfaceId > 0) {
      this.#section();
      interfaceId = this.#interfaceOf(frame, capture);
    }
    this.frames++;
    this.#emit(
      pcapngBlock({
        kind: 'packet',
        time,
        bytes,
        wireLength,
        interfaceId,
        ...(direction === undefined ? {} : { direction }),
        ...(capture.several ? { comment: `${capture.label} frame ${frame.number}` } : {}),
      }),
    );
  }

  /** Key log lines. */
  keyLog(lines: string): void {
    this.secretsBlocks++;
    this.secrets(SECRETS_WIREGUARD, utf8(lines));
  }

  secrets(secretsType: number, data: Bytes): void {
    this.#begin();
    this.#emit(pcapngBlock({ kind: 'secrets', secretsType, data }));
  }

  end(): void {
    this.#begin();
  }

  #begin(): void {
    if (!this.#begun) this.#section();
    this.#begun = true;
  }

  #section(): void {
    this.#interfaces.clear();
    this.#emit(pcapngBlock({ kind: 'section', application: this.#application }));
  }

  #interfaceOf({ interfaceId, linkType, fcsBytes }: Frame, { label }: CaptureName): number {
    const id = `${label}#${interfaceId}#${linkType}#${fcsBytes}`;
    const before = this.#interfaces.get(id);
    if (before !== undefined) return before;
    const number = this.#interfaces.size;
    this.#interfaces.set(id, number);
    const name = `${label}${interfaceId === 0 ? '' : ` interface ${interfaceId}`}`;
    this.#emit(pcapngBlock({ kind: 'interface', linkType, name, ...(fcsBytes === 0 ? {} : { fcsBytes }) }));
    return number;
  }
}
