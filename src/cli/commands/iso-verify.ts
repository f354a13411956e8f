import { exitCodeOfAll } from '../outcomes.ts';
import type { IsoVerification } from '../requests/isos.ts';
import type { Session } from '../session.ts';
import { oneLine, table } from '../text.ts';
import { archOrAll } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso verify`: whether what is here is what it should be. */
export const isoVerify: Verb = {
  summary: 'Read stored ISOs again, and compare them with their checksums',
  examples: [
    ['iso verify', 'all that are here'],
    ['iso verify debian-13-netinst', 'one; exit code 3 when it is damaged'],
  ],
  register(command, act) {
    command
      .argument('[name...]', 'ISOs of isos.yaml (default: all)')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: all)', archOrAll)
      .action((names, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const found = await engine.verifyIsos({ names, arch: options.arch ?? 'all' }, session.io);
          if (session.json) session.printJson('iso verify', found);
          else session.print(table(found.map((one) => row(one, session))));
          for (const { error } of found) if (error !== undefined) session.complain(error);
          return exitCodeOfAll(found.map(asEnd), session.io.signal);
        }),
      );
  },
};

const words = {
  good: ['green', 'good'],
  bad: ['red', 'damaged'],
  absent: ['dim', 'not here'],
  unproven: ['yellow', 'no checksum to compare with'],
} as const;

function row({ name, arch, part, state }: IsoVerification, { paint }: Pick<Session, 'paint'>): readonly string[] {
  const [color, word] = words[state];
  return [oneLine(part === undefined ? name : `${name} ${part}`), arch, paint(color, word)];
}

function asEnd({ state, error }: IsoVerification) {
  const outcome = state === 'bad' ? ('failed' as const) : ('done' as const);
  return { outcome, ...(error === undefined ? {} : { error }) };
}
