import { byName } from '../../core/kinds.ts';
import { gcp } from './gcp.ts';
import { img } from './img.ts';
import { iso } from './iso.ts';
import { ova } from './ova.ts';
import { qcow2 } from './qcow2.ts';
import { raw } from './raw.ts';
import { squashfs } from './squashfs.ts';
import { tar } from './tar.ts';
import { utm } from './utm.ts';
import { vdi } from './vdi.ts';
import { vhd } from './vhd.ts';
import { vhdx } from './vhdx.ts';
import { vma } from './vma.ts';
import { vmdk } from './vmdk.ts';

export const formats = byName([qcow2, raw, img, vmdk, vhdx, vdi, vhd, ova, vma, utm, gcp, tar, squashfs, iso]);
