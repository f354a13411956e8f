import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import type { Kinds } from '../core/kinds.ts';
import { secretNames } from '../core/secrets.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { StorePaths } from '../store/paths.ts';
import { errorRecord } from './error-record.ts';

/** What every build of one project works with. */
export type Workshop = {
  readonly host: Host;
  readonly kinds: Kinds;
  readonly paths: StorePaths;
  /** Absolute path of the project. */
  readonly root: string;
  /** The value of `${secret.x}`; an error names where it may be given. */
  readonly secret: (name: string) => string;
};

/** Do a named piece of work between its two events; a failure is told and thrown on. */
export async function withStep<T>(
  step: { readonly id: string; readonly title: string; readonly expectedSeconds?: number | undefined },
  ctx: Context,
  action: (ctx: Context) => Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const { id, title, expectedSeconds } = step;
  const started = ctx.host.monotonic();
  const seconds = () => (ctx.host.monotonic() - started) / 1000;
  ctx.signal.throwIfAborted();
  ctx.emit({ type: 'step.start', id, title, ...(expectedSeconds === undefined ? {} : { expectedSeconds }) });
  try {
    const value = await action({ ...ctx, step: id });
    const took = seconds();
    ctx.emit({ type: 'step.end', id, title, outcome: 'done', seconds: took });
    return { value, seconds: took };
  } catch (error) {
    const outcome = ctx.signal.aborted ? 'cancelled' : 'failed';
    ctx.emit({ type: 'step.end', id, title, outcome, seconds: seconds(), error: errorRecord(error) });
    throw error;
  }
}

/** Writes `***` in the place of each of these values, in the forms that tools print them, anywhere in plain data. */
export function redactor(values: readonly string[]): <T>(data: T) => T {
  const forms = [...new Set(values.filter((value) => value.length > 0).flatMap(formsOf))].sort(
    (a, b) => b.length - a.length,
  );
  if (forms.length === 0) return (data) => data;
  const clean = (text: string) => forms.reduce((rest, form) => rest.replaceAll(form, '***'), text);
  return <T>(data: T) =>
    JSON.parse(JSON.stringify(data), (key, value: unknown) =>
      typeof value === 'string' && !forPrograms.has(key) ? clean(value) : value,
    ) as T;
}

/** The values of all secrets that an image names. */
export function secretsOf(workshop: Workshop, spec: ImageSpec): readonly string[] {
  const uses = [spec.source, ...spec.steps, ...spec.checks, ...spec.formats];
  const login = spec.ssh !== undefined && 'password' in spec.ssh ? secretNames(spec.ssh.password) : [];
  return [...new Set([...uses.flatMap((use) => use.refs.secrets), ...login])].map(workshop.secret);
}

/** Words of closed lists and ids: a secret that is such a word must not break them. */
const forPrograms = new Set(['type', 'id', 'outcome', 'unit', 'code', 'arch', 'image', 'key']);

/** A value as it is, and in the forms that tools print it. */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and last characters also hold bits of what stands beside the value.
    return text.slice(shift === 0 ? 0 : shift + 1, -1);
  });
  const long = [...base64, bytes.toString('hex'), bytes.toString('hex').toUpperCase()].filter(
    (form) => form.length >= 8,
  );
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    // `set -x` in bash and in dash.
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", `'"'"'`),
    ...value.split('\n').filter((line) => line.length >= 4),
    ...long,
  ];
}
