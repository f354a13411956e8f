import type { Verb } from './verb.ts';

type Verbs = Readonly<Record<string, () => Promise<Verb>>>;

/** The commands by name, in groups; each is loaded only when it is wanted. */
export const verbGroups: Readonly<Record<string, Verbs>> = {
  'Make images:': {
    build: async () => (await import('./commands/build.ts')).build,
    plan: async () => (await import('./commands/plan.ts')).plan,
    check: async () => (await import('./commands/check.ts')).check,
    shell: async () => (await import('./commands/shell.ts')).shell,
    iso: async () => (await import('./commands/iso.ts')).iso,
    convert: async () => (await import('./commands/convert.ts')).convert,
    new: async () => (await import('./commands/new.ts')).create,
  },
  'Know them:': {
    list: async () => (await import('./commands/list.ts')).list,
    show: async () => (await import('./commands/show.ts')).show,
    diff: async () => (await import('./commands/diff.ts')).diff,
    verify: async () => (await import('./commands/verify.ts')).verify,
    keys: async () => (await import('./commands/keys.ts')).keys,
  },
  'Bring them where they are used:': {
    serve: async () => (await import('./commands/serve.ts')).serve,
    publish: async () => (await import('./commands/publish.ts')).publish,
    fetch: async () => (await import('./commands/fetch.ts')).fetch,
    release: async () => (await import('./commands/release.ts')).release,
    images: async () => (await import('./commands/images.ts')).images,
    registry: async () => (await import('./commands/registry.ts')).registry,
    tofu: async () => (await import('./commands/tofu.ts')).tofu,
    inventory: async () => (await import('./commands/inventory.ts')).inventory,
  },
  'Look after the rest:': {
    pins: async () => (await import('./commands/pins.ts')).pins,
    doctor: async () => (await import('./commands/doctor.ts')).doctor,
    gc: async () => (await import('./commands/gc.ts')).gc,
    schema: async () => (await import('./commands/schema.ts')).schema,
    help: async () => (await import('./commands/help.ts')).help,
  },
};

export const verbs: Verbs = Object.assign({}, ...Object.values(verbGroups)) as Verbs;
