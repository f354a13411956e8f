import { expect, test } from 'vitest';
import { facts, formatLab, sha256 } from '../../../test/support/format-lab.ts';
import { ova } from './ova.ts';

const lab = formatLab();

/** What the importer of Proxmox VE looks for (PVE::GuestImport::OVF), in another language. */
const importer = `
import re, sys, xml.etree.ElementTree as E
ovf = '{http://schemas.dmtf.org/ovf/envelope/1}'
rasd = '{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}'
vmw = '{http://www.vmware.com/schema/ovf}'
root = E.parse(sys.argv[1]).getroot()
items = root.findall(f'{ovf}VirtualSystem/{ovf}VirtualHardwareSection/{ovf}Item')
def of(item, name): return item.findtext(rasd + name)
for item in items: assert [c.tag for c in item] == sorted(c.tag for c in item)
by = {of(i, 'ResourceType'): i for i in items}
print('name', root.findtext(f'{ovf}VirtualSystem/{ovf}Name'))
print('cpus', of(by['3'], 'VirtualQuantity'), 'memory', of(by['4'], 'VirtualQuantity'), of(by['4'], 'AllocationUnits'))
disk = by['17']
disk_id = re.fullmatch(r'(?:ovf:)?/disk/([A-Za-z0-9._~-]+)', of(disk, 'HostResource')).group(1)
controller = next(i for i in items if of(i, 'InstanceID') == of(disk, 'Parent'))
print('controller', of(controller, 'ResourceType'), of(controller, 'ResourceSubType'), of(disk, 'AddressOnParent'))
entry = next(d for d in root.iter(f'{ovf}Disk') if d.get(f'{ovf}diskId') == disk_id)
file = next(f for f in root.iter(f'{ovf}File') if f.get(f'{ovf}id') == entry.get(f'{ovf}fileRef'))
assert re.fullmatch(r'[A-Za-z0-9.+=_-]+', file.get(f'{ovf}href'))
print('disk', file.get(f'{ovf}href'), file.get(f'{ovf}size'), entry.get(f'{ovf}capacity'))
names = {n.get(f'{ovf}name') for n in root.iter(f'{ovf}Network')}
assert of(by['10'], 'Connection') in names
print('firmware', next(c.get(f'{vmw}value') for c in root.iter(f'{vmw}Config') if c.get(f'{vmw}key') == 'firmware'))
`;

async function unpacked(options: { readonly [key: string]: string | number }, image = facts) {
  const disk = await lab.disk();
  const archive = await lab.write(ova, options, disk, lab.path('lab.ova'), image);
  await lab.run('tar', '-xf', archive, '-C', lab.path(''));
  return { disk, archive };
}

test('description, manifest and disk are there in this order, and the manifest is right', async () => {
  const { disk, archive } = await unpacked({});
  const listed = await lab.run('tar', '--numeric-owner', '-tvf', archive);
  expect(listed.split('\n').map((line) => line.replace(/ +\d+ 1970/, ' N 1970'))).toEqual([
    '-rw-r--r-- 0/0 N 1970-01-01 00:00 lab.ovf',
    '-rw-r--r-- 0/0 N 1970-01-01 00:00 lab.mf',
    '-rw-r--r-- 0/0 N 1970-01-01 00:00 lab-disk1.vmdk',
    '',
  ]);
  const script = 'cd "$0" && sed "s/^SHA256(\\(.*\\))= \\(.*\\)$/\\2  \\1/" lab.mf | sha256sum -c --strict';
  expect(await lab.run('sh', '-c', script, lab.path(''))).toBe('lab.ovf: OK\nlab-disk1.vmdk: OK\n');
  await lab.run('qemu-img', 'compare', '-f', 'raw', '-F', 'vmdk', disk, lab.path('lab-disk1.vmdk'));
  expect(await lab.run('vmdkinfo', lab.path('lab-disk1.vmdk'))).toContain('Stream optimized');
  expect(await lab.ctx.host.files.stat(lab.path('lab.ova.work'))).toBeUndefined();
});

test('the description says what an importer asks for', async () => {
  await unpacked({ memory: '512M', cpus: 3 });
  await lab.run('xmllint', '--noout', lab.path('lab.ovf'));
  const size = (await lab.ctx.host.files.stat(lab.path('lab-disk1.vmdk')))?.size;
  expect(await lab.run('python3', '-c', importer, lab.path('lab.ovf'))).toBe(
    `name lab
cpus 3 memory 512 byte * 2^20
controller 6 lsilogic 0
disk lab-disk1.vmdk ${size} ${64 * 1024 ** 2}
firmware bios
`,
  );
});

test('firmware and controller are those that were asked for; odd names become plain ones', async () => {
  await unpacked({ firmware: 'uefi', controller: 'sata' }, { ...facts, name: 'a "b" & c' });
  const said = await lab.run('python3', '-c', importer, lab.path('a-b-c.ovf'));
  expect(said).toContain('name a-b-c\n');
  expect(said).toContain('controller 20 AHCI 0\n');
  expect(said).toContain('firmware efi\n');
});

test('the same disk gives the same file, and another image can start from it', async () => {
  const { disk, archive } = await unpacked({});
  await lab.write(ova, {}, disk, lab.path('two.ova'));
  expect(await sha256(lab.path('two.ova'))).toBe(await sha256(archive));
  const format = await ova.unpack?.({}, { file: archive, output: lab.path('back') }, lab.ctx);
  await lab.run('qemu-img', 'compare', '-f', 'raw', '-F', format ?? '', disk, lab.path('back'));
});

test('a firmware that the image does not boot under is refused', async () => {
  const written = unpacked({ firmware: 'bios' }, { ...facts, arch: 'aarch64', firmware: ['uefi'] });
  await expect(written).rejects.toMatchObject({ code: 'SPEC_INVALID', hint: 'it boots under uefi' });
});
