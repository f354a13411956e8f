import type { Arch } from '../../core/arch.ts';
import type { Firmware } from '../../core/spec.ts';

export const controllers = ['scsi', 'sata', 'paravirtual'] as const;
export type Controller = (typeof controllers)[number];

export type Machine = {
  readonly name: string;
  readonly arch: Arch;
  readonly firmware: Firmware;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly controller: Controller;
  readonly disk: {
    readonly file: string;
    /** Of the file. */
    readonly bytes: number;
    /** Of the disk in it. */
    readonly capacity: number;
  };
};

/** Resource types and subtypes of CIM, as VMware and VirtualBox know them. */
const controllerItems: Readonly<Record<Controller, { readonly type: number; readonly subtype: string }>> = {
  scsi: { type: 6, subtype: 'lsilogic' },
  sata: { type: 20, subtype: 'AHCI' },
  paravirtual: { type: 6, subtype: 'VirtualSCSI' },
};

const network = 'VM Network';

/** An OVF 1 envelope for a machine with one disk (DMTF DSP0243), as VMware, VirtualBox and Proxmox import it. */
export function ovfText(machine: Machine): string {
  const { name, cpus, memoryMiB, disk, firmware } = machine;
  const controller = controllerItems[machine.controller];
  const items = [
    item({ ElementName: `${cpus} virtual CPUs`, InstanceID: 1, ResourceType: 3, VirtualQuantity: cpus }),
    item({
      ...{ AllocationUnits: 'byte * 2^20', ElementName: `${memoryMiB} MiB of memory`, InstanceID: 2 },
      ...{ ResourceType: 4, VirtualQuantity: memoryMiB },
    }),
    item({
      ...{ Address: 0, ElementName: 'disk controller', InstanceID: 3 },
      ...{ ResourceSubType: controller.subtype, ResourceType: controller.type },
    }),
    item({
      ...{ AddressOnParent: 0, ElementName: 'disk', HostResource: 'ovf:/disk/disk1', InstanceID: 4 },
      ...{ Parent: 3, ResourceType: 17 },
    }),
    item({
      ...{ AutomaticAllocation: 'true', Connection: network, ElementName: 'network card', InstanceID: 5 },
      ...{ ResourceSubType: 'E1000', ResourceType: 10 },
    }),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:href="${escapeXml(disk.file)}" ovf:id="file1" ovf:size="${disk.bytes}"/>
  </References>
  <DiskSection>
    <Info>The disks of the machine</Info>
    <Disk ovf:capacity="${disk.capacity}" ovf:capacityAllocationUnits="byte" ovf:diskId="disk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>The networks of the machine</Info>
    <Network ovf:name="${network}">
      <Description>The network that the machine is on</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${escapeXml(name)}">
    <Info>A machine</Info>
    <Name>${escapeXml(name)}</Name>
    <OperatingSystemSection ovf:id="101"${machine.arch === 'x86_64' ? ' vmw:osType="otherLinux64Guest"' : ''}>
      <Info>The system in it</Info>
      <Description>Linux, 64 bit</Description>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>What the machine needs</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${escapeXml(name)}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-11</vssd:VirtualSystemType>
      </System>
${items.join('\n')}
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="${firmware === 'uefi' ? 'efi' : 'bios'}"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

/** Its elements must be in the order of their names. */
function item(elements: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(elements)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `        <rasd:${name}>${escapeXml(String(value))}</rasd:${name}>`);
  return `      <Item>\n${lines.join('\n')}\n      </Item>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
