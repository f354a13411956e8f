import type { Verb } from '../verb.ts';
import { isoAdd } from './iso-add.ts';
import { isoBuild } from './iso-build.ts';
import { isoDownload } from './iso-download.ts';
import { isoList } from './iso-list.ts';
import { isoNetboot } from './iso-netboot.ts';
import { isoVerify } from './iso-verify.ts';

/** `ingot iso`: the ISOs that installations start from, and ISOs that install by themselves. */
export const iso: Verb = {
  summary: 'Look after ISOs of installers, and make ISOs that install by themselves',
  examples: [
    ['iso list', 'the ISOs of isos.yaml, and what is here of each'],
    ['iso download debian-13-netinst', 'have it here, checked'],
    ['iso build lab', 'an ISO that installs the image lab by itself'],
    ['iso netboot lab', 'the same, started over the network'],
  ],
  verbs: { list: isoList, add: isoAdd, download: isoDownload, verify: isoVerify, build: isoBuild, netboot: isoNetboot },
  register: () => {},
};
