/** Where virtual machines run, and how nested virtualization is switched on for one of them there. */
export type Hypervisor = { readonly name: string; readonly sign: RegExp; readonly fix: string };

const restart = 'then stop and start this machine';

/** Where this machine runs, by what its firmware and kernel say; the most particular first. */
const hypervisors: readonly Hypervisor[] = [
  { name: 'Proxmox', sign: /Proxmox/i, fix: `on the Proxmox host: qm set ID --cpu host, ${restart}` },
  {
    name: 'WSL',
    sign: /microsoft-standard|WSL/i,
    fix: 'in %UserProfile%\\.wslconfig: [wsl2] nestedVirtualization=true, then: wsl --shutdown',
  },
  { name: 'Amazon EC2', sign: /Amazon EC2/i, fix: 'take an instance type that ends in .metal' },
  {
    name: 'Google Compute Engine',
    sign: /Google/i,
    fix: 'make it anew: gcloud compute instances create NAME --enable-nested-virtualization ...',
  },
  {
    name: 'VMware',
    sign: /VMware/i,
    fix: 'switched off: "Expose hardware assisted virtualization to the guest OS" (vhv.enable = "TRUE")',
  },
  {
    name: 'Hyper-V',
    sign: /Microsoft Corporation|Hypervisor detected: Microsoft/i,
    fix: 'switched off, on its host: Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true',
  },
  {
    name: 'VirtualBox',
    sign: /VirtualBox|innotek/i,
    fix: 'switched off, on its host: VBoxManage modifyvm NAME --nested-hw-virt on',
  },
  { name: 'Xen', sign: /\bXen\b/, fix: 'take a machine without Xen beneath it' },
  {
    name: 'KVM',
    sign: /QEMU|KVM|Red Hat|OpenStack|oVirt/,
    fix: `on its host: nested=1 for kvm_intel or kvm_amd, processor "host-passthrough" (Proxmox: qm set ID --cpu host), ${restart}`,
  },
];

/** The hypervisor that a machine's own words (DMI, kernel release, kernel log) point to; undefined when none does. */
export function hypervisorOf(words: string): Hypervisor | undefined {
  return hypervisors.find(({ sign }) => sign.test(words));
}
