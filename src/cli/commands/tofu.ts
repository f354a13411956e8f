import type { Verb } from '../verb.ts';
import { tofuData } from './tofu-data.ts';

/** `ingot tofu`: what OpenTofu runs. */
export const tofu: Verb = {
  summary: 'Answer OpenTofu (and Terraform)',
  examples: [['tofu data', 'a program of its `external` data source']],
  notes: ['For variables: ingot registry --format tfvars. A module that has both: examples/tofu.'],
  verbs: { data: tofuData },
  register: () => {},
};
