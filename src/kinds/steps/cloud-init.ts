import { stringify } from 'yaml';
import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { placeFileScript } from '../image-files.ts';

const options = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected a short name of lower-case letters, digits and dashes')
      .default('image')
      .describe('Part of the file name, for images with several of these steps.'),
    datasources: z
      .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/, 'expected the name of a datasource, such as NoCloud'))
      .min(1, 'name at least one datasource')
      .optional()
      .describe('Where cloud-init looks for its seed, in this order and nowhere else.'),
    config: z.record(z.string(), z.json()).default({}).describe("Settings as in cloud-init's own cloud.cfg."),
  })
  .refine((o) => o.datasources !== undefined || Object.keys(o.config).length > 0, 'name datasources, config or both')
  .refine((o) => o.datasources === undefined || !('datasource_list' in o.config), {
    message: 'datasource_list is what datasources writes: name them in one place',
    path: ['config', 'datasource_list'],
  });

export type CloudInitOptions = z.infer<typeof options>;

/** Bake settings of cloud-init into the image, as a file of /etc/cloud/cloud.cfg.d; cloud-init itself is a package. */
export const cloudInit = defineStep<CloudInitOptions>({
  name: 'cloud-init',
  version: 1,
  summary: 'Bake settings of cloud-init into the image.',
  on: ['tree', 'guest'],
  options,
  example: { datasources: ['NoCloud', 'None'], config: { locale: 'C.UTF-8' } },
  title: (o) => `write ${cloudConfigPath(o)}`,
  run: (o, work) => {
    const { script, stdin } = cloudInitScript(o);
    return work.exec(script, { stdin });
  },
});

/** The file's text and the script that puts it in its place. */
export function cloudInitScript(o: CloudInitOptions): { readonly script: Script; readonly stdin: string } {
  const script = placeFileScript({ to: cloudConfigPath(o), owner: 'root:root', mode: '0644' });
  return { script, stdin: cloudConfig(o) };
}

// Files are read in the order of their names and the last one wins: this is after Debian's own 90_dpkg.cfg.
function cloudConfigPath(o: CloudInitOptions): string {
  return `/etc/cloud/cloud.cfg.d/95-ingot-${o.name}.cfg`;
}

/** The same text for the same settings in any order. */
export function cloudConfig(o: CloudInitOptions): string {
  const settings = o.datasources === undefined ? o.config : { ...o.config, datasource_list: o.datasources };
  const text = stringify(settings, {
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    lineWidth: 0,
    // cloud-init reads YAML 1.1, where a bare `on` or `1:30` is no text, and PyYAML stumbles over a bare tab.
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'QUOTE_DOUBLE',
    doubleQuotedAsJSON: true,
  });
  // Line ends and characters that YAML 1.1 does not take as they are; all text is in quotes here.
  return text.replace(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
