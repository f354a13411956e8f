import type { Selection } from './requests/images.ts';

type SelectionOptions = {
  readonly arch?: Selection['arch'];
  readonly site?: string;
  readonly pass?: number;
};

/** What to say where there is nothing to select from. */
export const noImages = 'this project has no images yet: add one as images/NAME.yaml';

/** The images that a command line selects. */
export function selectionOf(images: readonly string[], options: SelectionOptions): Selection {
  return {
    images,
    arch: options.arch ?? 'native',
    ...(options.site === undefined ? {} : { site: options.site }),
    ...(options.pass === undefined ? {} : { pass: options.pass }),
  };
}

/** One image, perhaps one build of it. */
export function oneImage(
  ref: { readonly image: string; readonly build?: string },
  options: { readonly arch?: Exclude<Selection['arch'], 'all'>; readonly site?: string },
) {
  return {
    ...ref,
    arch: options.arch ?? ('native' as const),
    ...(options.site === undefined ? {} : { site: options.site }),
  };
}
