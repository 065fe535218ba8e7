/** `wgwhy/engine`: the device and what it speaks in, in Node and in a browser. A backend comes with it or from elsewhere. */
export { type Endpoint, endpoint, type Prefix, parseEndpoint, parsePrefix } from '../base/address.ts';
export {
  type PresharedKey,
  type PrivateKey,
  type PublicKey,
  presharedKey,
  privateKey,
  publicKey,
} from '../base/keys.ts';
export type { Now, Time } from '../base/time.ts';
export type { AeadKey, Crypto } from '../crypto/port.ts';
export { DROP_OF_REASON, type DropReason, FINDING_OF_DROP } from './catalogue.ts';
export type { DeviceOptions } from './core.ts';
export { type Deadline, Device } from './device.ts';
export type { Drop, DropKind, MessageKind, PeerId } from './drop.ts';
export type { KeyLogSink } from './key-log.ts';
export type { Snapshot, Trace, TraceEvent, TraceStep } from './noise/trace.ts';
export { BORINGTUN, GOTATUN, LINUX, POLICIES, type Policy, type PolicyName, WIREGUARD_GO } from './policy.ts';
export type { Random, RandomPurpose } from './random.ts';
export type { Role } from './session.ts';
export type { DeviceSecrets, PeerStatus, SessionStatus } from './status.ts';
export type {
  Change,
  ConfigureInput,
  DatagramInput,
  DeviceEvent,
  Effect,
  Input,
  PacketInput,
  PeerChange,
  SocketErrorInput,
  Step,
  TickInput,
  Verdict,
} from './step.ts';
export type { TimerName } from './timers.ts';
