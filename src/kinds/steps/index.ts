import { byName } from '../../core/kinds.ts';
import { ansible } from './ansible.ts';
import { cloudInit } from './cloud-init.ts';
import { copy } from './copy.ts';
import { download } from './download.ts';
import { exec } from './exec.ts';
import { fetch } from './fetch.ts';
import { kernelCmdline } from './kernel-cmdline.ts';
import { packages } from './packages.ts';
import { reboot } from './reboot.ts';
import { services } from './services.ts';
import { shell } from './shell.ts';

export const steps = byName([
  ansible,
  cloudInit,
  copy,
  download,
  exec,
  fetch,
  kernelCmdline,
  packages,
  reboot,
  services,
  shell,
]);
