import { archFromNode } from '../../core/arch.ts';
import { answerQuery, parseQuery } from '../exports/tofu.ts';
import { baseUrl } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot tofu data`: JSON on stdin, a flat map of texts on stdout, errors on stderr. */
export const tofuData: Verb = {
  summary: "Answer a query of OpenTofu's `external` data source, JSON on stdin, with a flat JSON object",
  examples: [
    [`tofu data <<< '{"image":"debian-13"}'`, 'path, url, digest, cache_key, built_at, ... of its newest build'],
  ],
  notes: [
    'The query takes image, arch, format, target and url. With a target, the answer also has deployment_id, ' +
      'deployment_type, deployment_at, deployment_address and deployment_stale.',
  ],
  register(command, act) {
    command
      .option('--url <url>', 'where the artifacts are served (default: as files of this machine)', baseUrl)
      .action(({ url }, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const query = parseQuery(await session.stdin());
          const view = await (await session.engine()).registry(session.io);
          session.print([JSON.stringify(answerQuery(view, query, { url, native: archFromNode(process.arch) }))]);
          return 0;
        }),
      );
  },
};
