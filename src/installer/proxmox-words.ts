/** Layouts of X by Proxmox VE's names for them. */
const names: Readonly<Record<string, string>> = {
  ...{ de: 'de', 'de-ch': 'ch', dk: 'dk', 'en-gb': 'gb', 'en-us': 'us', es: 'es', fi: 'fi', fr: 'fr', 'fr-be': 'be' },
  ...{ 'fr-ca': 'ca', 'fr-ch': 'ch(fr)', hu: 'hu', is: 'is', it: 'it', jp: 'jp', lt: 'lt', mk: 'mk', nl: 'nl' },
  ...{ no: 'no', pl: 'pl', pt: 'pt', 'pt-br': 'br', se: 'se', si: 'si', tr: 'tr' },
};

/** The name of a layout of X. */
export const proxmoxKeyboards: ReadonlyMap<string, string> = new Map(
  Object.entries(names).map(([name, layout]) => [layout, name]),
);

export const proxmoxKeyboardNames: readonly string[] = Object.keys(names);
