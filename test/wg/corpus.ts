/** The drop corpus with the state before each of its packets. */
import {
  dictionary,
  fields,
  flag,
  hex,
  int,
  list,
  loadVectors,
  oneOf,
  optional,
  type Reader,
  text,
} from '../vectors.ts';

const anything: Reader<unknown> = (value) => value;
const KEY_NAMES = {
  initiator_static_private: hex,
  initiator_static_public: hex,
  responder_static_private: hex,
  responder_static_public: hex,
  stranger_private: hex,
  stranger_public: hex,
  other_responder_private: hex,
  other_responder_public: hex,
  initiator_ephemeral_private: hex,
  initiator_second_ephemeral_private: hex,
  responder_ephemeral_private: hex,
  psk: hex,
  psk_other: hex,
};

export const TRACE_INITIATION = {
  hash_after_responder_static: hex,
  hash_after_e: hex,
  ck_after_e: hex,
  ck_after_es: hex,
  key_static: hex,
  initiator_static_pub: hex,
  hash_after_s: hex,
  ck_after_ss: hex,
  key_timestamp: hex,
  timestamp: hex,
  hash_after_t: hex,
  mac1_key: hex,
  mac1: hex,
};
export const TRACE_RESPONSE = {
  hash_after_e: hex,
  ck_after_e: hex,
  ck_after_ee: hex,
  ck_after_se: hex,
  ck_after_psk: hex,
  tau: hex,
  key_empty: hex,
  hash_after_psk: hex,
  hash_final: hex,
  mac1_key: hex,
  mac1: hex,
  transport_key_initiator_to_responder: hex,
  transport_key_responder_to_initiator: hex,
};

const packets = loadVectors(
  'drop_corpus.json',
  {
    id: text,
    at: oneOf('initiator', 'responder'),
    packet: hex,
    length: int,
    expect: text,
    state: text,
    differs: optional(dictionary(text)),
    note: optional(text),
  },
  {
    keys: fields(KEY_NAMES),
    keys_base64: dictionary(text),
    initiator_index: int,
    responder_index: int,
    unix_time: int,
    tai64n: hex,
    trace_initiation: fields(TRACE_INITIATION),
    trace_response: fields(TRACE_RESPONSE),
    cookie: fields({
      cookie_secret: hex,
      source: text,
      source_bytes: hex,
      cookie_value: hex,
      nonce: hex,
      cookie_encryption_key: hex,
      cookie_reply: hex,
      mac2_of_init_under_load_good_mac2: hex,
    }),
    inner_ping: hex,
    variants: list(
      fields({
        id: text,
        packet: hex,
        what: text,
        parameters: anything,
        unwraps_to: (v) => (v === null ? null : text(v, 'unwraps_to')),
      }),
    ),
  },
);

const { cases: states } = loadVectors('drop_corpus_given.json', {
  id: text,
  given: fields({
    after: optional(list(text)),
    elapsedMs: optional(int),
    underLoad: optional(flag),
    from: optional(text),
    bucketUsed: optional(int),
    sent: optional(list(text)),
    session: optional(oneOf('established')),
    received: optional(list(int)),
  }),
  expect: fields({ linux: text, 'wireguard-go': text, boringtun: text, gotatun: text }),
  note: optional(text),
});

export type CorpusCase = (typeof packets.cases)[number] &
  Pick<(typeof states)[number], 'given'> & {
    readonly wanted: (typeof states)[number]['expect'];
  };

export const corpus = packets;

/** Packets and states joined; both files hold the same cases. */
export const corpusCases: readonly CorpusCase[] = packets.cases.map((packet) => {
  const state = states.find(({ id }) => id === packet.id);
  if (state === undefined) throw new Error(`${packet.id} has no state`);
  return { ...packet, given: state.given, wanted: state.expect };
});

export function packetOf(id: string): Uint8Array {
  const found = packets.cases.find((packet) => packet.id === id);
  if (found === undefined) throw new Error(`no packet ${id}`);
  return found.packet;
}
