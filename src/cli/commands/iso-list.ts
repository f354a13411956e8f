import type { IsoReport } from '../requests/isos.ts';
import type { Session } from '../session.ts';
import { bytes, oneLine, table } from '../text.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso list`: the catalogue. */
export const isoList: Verb = {
  summary: 'List the ISOs of isos.yaml, and what is here of each',
  examples: [
    ['iso list', 'names, distributions, architectures, sizes'],
    ['iso list --json', 'the same as data, with addresses and paths'],
  ],
  register(command, act) {
    command.action((_options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        const engine = await session.engine();
        const isos = await engine.isos(session.io);
        if (session.json) session.printJson('isos', isos);
        else session.print(isoLines(isos, session));
        if (isos.length === 0) session.remark('this project has no ISOs yet: `ingot iso add` puts one into isos.yaml');
        return 0;
      }),
    );
  },
};

/** ISOs for people, one a line. */
function isoLines(isos: readonly IsoReport[], { paint }: Pick<Session, 'paint'>): readonly string[] {
  if (isos.length === 0) return [];
  const heads = ['ISO', 'DISTRIBUTION', 'ARCH', 'SIZE', 'STATE', 'CHECKED BY'].map((head) => paint('dim', head));
  const rows = isos.map(({ name, distribution, arch, here, proof }) => {
    const size = here === undefined ? '' : bytes(here.bytes);
    const state = here === undefined ? paint('dim', 'not here') : verdict(here.verified, paint);
    return [oneLine(name), distribution, arch, size, state, proof === 'none' ? 'nothing' : proof];
  });
  return table([heads, ...rows]);
}

function verdict(verified: boolean, paint: Session['paint']): string {
  return verified ? paint('green', 'here, verified') : paint('yellow', 'here, not verified');
}
