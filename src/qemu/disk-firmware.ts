import type { Arch } from '../core/arch.ts';
import type { Context } from '../core/context.ts';
import type { Firmware } from '../core/spec.ts';

/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B, as a GPT stores it. */
const espType = Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex');

/** Which firmwares a raw disk is made for: boot code for BIOS, an EFI system partition for UEFI; where it has neither, BIOS. */
export async function diskFirmware(raw: string, arch: Arch, { host }: Context): Promise<readonly Firmware[]> {
  if (arch === 'aarch64') return ['uefi'];
  const head = await host.files.read(raw, { offset: 0, length: 34 * 512 });
  const hasEsp = head.length > 512 && head.indexOf(espType, 1024) !== -1;
  const hasCode = head.subarray(0, 440).some((byte) => byte !== 0);
  if (!hasEsp) return ['bios'];
  return hasCode ? ['bios', 'uefi'] : ['uefi'];
}
