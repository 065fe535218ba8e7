/** What is wrong with a file a person wrote: all faults at once, each with its place and a hint, never a secret. */
export interface Problem {
  readonly message: string;
  /** Lines and columns count from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Byte offset, for binary input. */
  readonly offset?: number;
  readonly hint?: string;
  /** Worth saying, and nothing was left out because of it: who reads the file for real takes it as well. */
  readonly remark?: true;
}
