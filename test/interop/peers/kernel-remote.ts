/** The kernel's WireGuard in a guest, behind a tap in this namespace. */
import { GUEST_MAC, Guest } from '../kernel/guest.ts';
import { run } from '../lab/shell.ts';
import { type DevicePlan, type Host, type Inner, innerOf, type Remote, RemoteDevice } from './remote.ts';

const ADDRESS = '10.77.0.2';
const NEAR = ['10.77.0.1', '10.77.0.3'] as const;
const TAP = 'wwk0';

export class KernelRemote implements Remote, Host {
  readonly kind = 'linux';
  readonly address = ADDRESS;
  readonly near = NEAR;
  readonly guest: Guest;
  #devices = 0;

  private constructor(guest: Guest) {
    this.guest = guest;
  }

  static async boot(): Promise<KernelRemote> {
    const guest = await Guest.boot({ tap: TAP, address: `${ADDRESS}/24` });
    for (const near of NEAR) run('ip', ['addr', 'add', `${near}/24`, 'dev', TAP]);
    // room for what comes while it is held
    run('ip', ['link', 'set', TAP, 'txqueuelen', '3000', 'up']);
    // while it is held it answers no ARP either
    run('ip', ['neigh', 'replace', ADDRESS, 'lladdr', GUEST_MAC, 'nud', 'permanent', 'dev', TAP]);
    await guest.setClock(Date.now() / 1000);
    return new KernelRemote(guest);
  }

  get log() {
    return this.guest.log;
  }

  async device(planFor: (inner: Inner) => DevicePlan): Promise<RemoteDevice> {
    const number = ++this.#devices;
    const name = `wg${number}`;
    const { their, their6 } = innerOf(number);
    await this.must(`ip link add ${name} type wireguard && ip addr add ${their}/24 dev ${name}`);
    const device = new RemoteDevice(this, name, number);
    await device.configure(planFor(device.inner));
    await this.must(`ip addr add ${their6}/64 dev ${name} && ip link set ${name} mtu 1420 up`);
    return device;
  }

  close(): Promise<void> {
    return this.guest.close();
  }

  must(line: string): Promise<string> {
    return this.guest.must(line);
  }

  async write(name: string, text: string): Promise<string> {
    await this.guest.must(`printf '${text.replaceAll('\n', '\\n')}' > /tmp/${name}`);
    return `/tmp/${name}`;
  }

  ownLine(device: string, line: string): string | undefined {
    const prefix = `wireguard: ${device}: `;
    return line.startsWith(prefix) ? line.slice(prefix.length) : undefined;
  }

  async ask(_from: string, to: string, waitMs: number): Promise<boolean> {
    const { status } = await this.guest.run(`ping -c 1 -W ${Math.max(1, Math.ceil(waitMs / 1000))} ${to}`);
    return status === 0;
  }

  async knock(_from: string, to: string): Promise<void> {
    await this.guest.must(`ping -c 1 -W 1 ${to} >/dev/null 2>&1 &`);
  }

  hold(): void {
    this.guest.pause();
  }

  letGo(): void {
    this.guest.goOn();
  }

  async end(device: string): Promise<void> {
    await this.guest.run(`ip link del ${device}`);
  }
}
