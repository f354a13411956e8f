import { registerHooks } from 'node:module';

/** From now on, whoever imports the module `real` of the program gets `twin`; only the twin itself gets the real one. */
export function replaceModule(real: string, twin: string): void {
  const realUrl = new URL(`../../../src/${real}`, import.meta.url).href;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      return found.url === realUrl && context.parentURL !== twin ? { ...found, url: twin } : found;
    },
  });
}
