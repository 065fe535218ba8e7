/** What a tracker tells of single messages while it reads. */
import type { Datagram, Skip } from '../packet/datagram.ts';
import type { Shape } from './classify.ts';
import type { Opened } from './observe.ts';
import type { Placed } from './sessions.ts';
import type { CookieSight, InitiationSight, ResponseSight } from './sight.ts';
import type { Exchange, FrameId, Seen } from './timeline.ts';
import type { VariantForm } from './unwrap/unwrapped.ts';

/** `sight` of an initiation, `response` and `cookie` of those; none of them where the same bytes came before. */
export interface MessageDetails {
  readonly exchange?: Exchange;
  readonly sight?: InitiationSight;
  readonly response?: ResponseSight;
  readonly cookie?: CookieSight;
  /** Data only: its session, and which end sent it, where its handshake was seen. */
  readonly placed?: Placed;
  readonly opened?: Opened | undefined;
}

export interface TrackerHooks {
  /** Right before `message` or `copied`: what that message stands in, from which byte on, and in which form. */
  found?(datagram: Datagram, at: number, form: VariantForm | undefined): void;
  /** Of data the bytes are those of the frame: they are to be read at once. */
  message?(seen: Seen, details: MessageDetails): void;
  /** One datagram once more, after `before`; of data the bytes are still there. */
  copied?(seen: Seen, before: Seen): void;
  /** No message could be taken out of it; `form`: it belongs to this one all the same. */
  unread?(datagram: Datagram, shape: Shape | undefined, form: VariantForm | undefined): void;
  skipped?(at: FrameId, skip: Skip): void;
  session?(exchange: Exchange, at: Seen): void;
}
