import type { Verb } from '../verb.ts';
import { imagesDownload } from './images-download.ts';
import { imagesList } from './images-list.ts';

/** `ingot images`: finished images from releases. */
export const images: Verb = {
  summary: 'Fetch finished images from releases on GitHub',
  examples: [
    ['images list', 'what the release `latest` holds'],
    ['images download debian-13', 'have it in this folder, checked'],
    ['images download all --publish', 'have all of them among the artifacts'],
  ],
  verbs: { list: imagesList, download: imagesDownload },
  register: () => {},
};
