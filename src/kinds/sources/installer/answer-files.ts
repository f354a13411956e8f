import { IngotError } from '../../../core/errors.ts';
import type { MediumContext } from '../../../core/media.ts';
import type { HashedAnswers } from '../../../installer/answers.ts';
import type { Extra } from '../../../installer/format.ts';
import { adoptFile, formatOf, renderAnswers } from '../../../installer/formats.ts';
import { hashAnswers } from '../../../installer/password.ts';
import { fillTemplate } from '../../../installer/template.ts';
import { type InstallerOptions, ownFileOf } from './options.ts';

/** The answers as the installer reads them, checked by the best there is for it. */
type AnswerFiles = { readonly files: ReadonlyMap<string, string>; readonly answers: HashedAnswers | undefined };

type AnswerRequest = {
  /** The name of the image. */
  readonly image: string;
  /** The machine is turned off at the end, not restarted; an own file says that itself. */
  readonly powerOff: boolean;
  /** What the ISO holds beside can be used. */
  readonly carries?: boolean;
};

/** Write the answer files, or take somebody's own with its gaps filled. */
export async function makeAnswerFiles(
  o: InstallerOptions,
  { image, powerOff, carries = false }: AnswerRequest,
  ctx: MediumContext,
): Promise<AnswerFiles> {
  const format = formatOf(o.iso.distribution);
  const answers = o.answers === undefined ? undefined : await hashAnswers(o.answers, { image }, ctx);
  const postInstall = await Promise.all(
    o['post-install'].map(async (path) => ({ name: path, text: await textOf(path, ctx) })),
  );
  const extra = { postInstall, powerOff, ...(carries ? mediumOf(o) : {}) };
  const own = ownFileOf(o);
  if (own !== undefined) {
    const values = { values: new Map(Object.entries(o.values)), ...(answers === undefined ? {} : { answers }) };
    const files = adoptFile(format, fillTemplate(await textOf(own, ctx), values, own), extra);
    await format.check(files, ctx, own);
    return { files, answers };
  }
  if (answers === undefined) throw new Error('answers or an own file');
  const files = renderAnswers(format, answers, extra);
  await format.check(files, ctx);
  return { files, answers };
}

function mediumOf({ iso, medium, 'post-install': scripts }: InstallerOptions): Pick<Extra, 'medium'> {
  if (medium === undefined || formatOf(iso.distribution).medium === undefined) return {};
  const { offline, files, artifacts } = medium;
  const isThere = scripts.length > 0 && files.length + artifacts.length > 0;
  return offline || isThere ? { medium: { offline } } : {};
}

async function textOf(path: string, ctx: MediumContext): Promise<string> {
  const text = await ctx.host.files.readText(ctx.projectFile(path));
  if (text !== undefined) return text;
  throw new IngotError({ code: 'SPEC_INVALID', message: `the file ${path} is not in the project` });
}
