import type { Verb } from './verb.ts';

/** The commands by name, the common ones first; each is loaded only when it is wanted. */
export const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  build: async () => (await import('./commands/build.ts')).build,
  plan: async () => (await import('./commands/plan.ts')).plan,
  check: async () => (await import('./commands/check.ts')).check,
  list: async () => (await import('./commands/list.ts')).list,
  show: async () => (await import('./commands/show.ts')).show,
  diff: async () => (await import('./commands/diff.ts')).diff,
  verify: async () => (await import('./commands/verify.ts')).verify,
  keys: async () => (await import('./commands/keys.ts')).keys,
  shell: async () => (await import('./commands/shell.ts')).shell,
  convert: async () => (await import('./commands/convert.ts')).convert,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  pins: async () => (await import('./commands/pins.ts')).pins,
  iso: async () => (await import('./commands/iso.ts')).iso,
  serve: async () => (await import('./commands/serve.ts')).serve,
  publish: async () => (await import('./commands/publish.ts')).publish,
  fetch: async () => (await import('./commands/fetch.ts')).fetch,
  release: async () => (await import('./commands/release.ts')).release,
  images: async () => (await import('./commands/images.ts')).images,
  gc: async () => (await import('./commands/gc.ts')).gc,
  new: async () => (await import('./commands/new.ts')).create,
  schema: async () => (await import('./commands/schema.ts')).schema,
  help: async () => (await import('./commands/help.ts')).help,
};
