import type { IsoDistribution } from '../core/isos.ts';
import type { Delivery } from '../core/media.ts';

/** How the answers lie on an ISO: as each installer's documentation advises. `label`: the ISO's volume id. */
export function onIso(distribution: IsoDistribution, label: string): Delivery {
  switch (distribution) {
    // Read before the first question is asked, which a file of the medium is not.
    case 'debian':
    case 'alpine':
      return { by: 'initrd' };
    case 'ubuntu':
      return { by: 'medium', path: '/nocloud/', label };
    case 'fedora':
    case 'proxmox':
      return { by: 'medium', path: '/', label };
  }
}
