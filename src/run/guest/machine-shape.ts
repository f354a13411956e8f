import type { Context } from '../../core/context.ts';
import { digest } from '../../core/keys.ts';
import { type MachineConfig, qemuArgv } from '../../qemu/argv.ts';

/**
 * What of a machine a saved state depends on: QEMU, processor and devices, not where files lie. On real processors
 * also which one.
 */
export async function machineShape(config: MachineConfig, { host, signal }: Context): Promise<string> {
  const drives = config.drives.map(({ id, boot, readOnly }) => ({
    ...{ id, file: { path: '/', format: 'raw' as const } },
    ...(boot === undefined ? {} : { boot }),
    ...(readOnly === undefined ? {} : { readOnly }),
  }));
  const vars = { path: '/', format: 'raw' as const };
  const firmware = config.firmware === 'bios' ? 'bios' : { ...config.firmware, vars };
  const { kernel } = config;
  const anyKernel = kernel === undefined ? {} : { kernel: { file: '/', initrd: '/', append: kernel.append } };
  const places = { sockets: '/', serialLog: '/', credentials: '/' };
  const argv = qemuArgv({ ...config, drives, firmware, ...places, ...anyKernel });
  const version = await host.run({ argv: [argv[0], '--version'] }, { signal });
  const isReal = config.accelerator.name !== 'tcg';
  const processor = isReal ? ((await host.files.readText('/proc/cpuinfo')) ?? '').split('\n\n')[0] : '';
  return digest([...argv, version.stdout, processor ?? '']);
}
