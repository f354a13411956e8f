import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Mirrors of Debian that this machine's apt uses, without a slash at the end; undefined where it has none. */
export async function mirrorsOfThisMachine(): Promise<{ readonly debian?: string; readonly security?: string }> {
  const { stdout } = await exec('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const uris = stdout.split('\n').map((line) => line.replace(/\/$/, ''));
  const [debian, security] = [/\/debian$/, /\/debian-security$/].map((end) => uris.find((uri) => end.test(uri)));
  return { ...(debian === undefined ? {} : { debian }), ...(security === undefined ? {} : { security }) };
}
