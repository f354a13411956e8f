import { InvalidArgumentError } from 'commander';
import type { Verb } from '../verb.ts';

/** `ingot keys`: the key that images are signed with. */
export const keys: Verb = {
  summary: 'Make the key that images are signed with',
  examples: [['keys new', 'a new key; its public half is printed']],
  notes: [
    'The private key lies under INGOT_HOME, in keys/ingot.key, readable by you alone; with INGOT_SECRET_SIGNING_KEY set it is locked with that passphrase, which builds then need too. Every build after this is signed. The public half lies in artifacts/keys/, for those who fetch your images.',
  ],
  register(command, act) {
    command.argument('<action>', 'new', actionWord).action((_action, _options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        const engine = await session.engine();
        const made = await engine.newKey(session.io);
        if (session.json) session.printJson('keys', made);
        else session.print([made.publicKey]);
        session.remark(`key ${made.id}${made.locked ? ', locked with your passphrase' : ''}: ${made.privateFile}`);
        session.remark(`give others ${made.publicFile}; keep a copy of the private key in a safe place`);
        return 0;
      }),
    );
  },
};

function actionWord(text: string): 'new' {
  if (text === 'new') return text;
  throw new InvalidArgumentError('Expected new.');
}
