import { InvalidArgumentError } from 'commander';
import type { Verb } from '../verb.ts';

/** `ingot serve`: the artifacts over HTTP. */
export const serve: Verb = {
  summary: 'Serve the artifacts over HTTP, on this machine only unless told otherwise',
  examples: [
    ['serve', 'http://127.0.0.1:8417/, for browsers and programs of this machine'],
    ['serve --listen 0.0.0.0:8417', 'for the network too'],
    ['serve --listen 10.0.0.5:80 --name images.lab', 'also called http://images.lab/'],
  ],
  notes: [
    'Reading needs no token, bringing files (PUT) always does: it is in the file that is named when the server starts. Ctrl-C lets ' +
      'downloads end for 10 seconds; once more ends at once.',
    'docs/serving.md has the addresses, and how systemd, nginx and Caddy serve the same.',
  ],
  register(command, act) {
    command
      .option(
        '--listen <address>',
        `address and port; port 0 takes any that is free (default: ${usualAddress})`,
        listenAddress,
      )
      .option('--name <name...>', 'what the server is called, besides its addresses and the name of this machine')
      .option('--token-file <file>', 'who knows what is in it may bring files (default: serve-token in the home)')
      .action((options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          async (session) => {
            const engine = await session.engine();
            const { listen, name, tokenFile } = options;
            const request = {
              ...(listen ?? listenAddress(usualAddress)),
              names: name ?? [],
              ...(tokenFile === undefined ? {} : { tokenFile }),
            };
            await engine.serve(request, session.io);
            // It was told to end, and it did.
            return 0;
          },
          'streams',
        ),
      );
  },
};

const usualAddress = '127.0.0.1:8417';

/** `8417`, `0.0.0.0:8417`, `[::1]:8417`. */
export function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, v6, host = v6, port] = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InvalidArgumentError('Expected ADDRESS:PORT, such as 127.0.0.1:8417 or [::1]:8417.');
  }
  return { host: host ?? '127.0.0.1', port: Number(port) };
}
