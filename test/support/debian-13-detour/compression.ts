import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';

/** Node has no xz of its own. */
export async function xzDecompress(bytes: Buffer): Promise<string> {
  const child = spawn('xz', ['-dc'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(bytes);
  return text(child.stdout);
}

export async function xzCompress(plain: string): Promise<Buffer> {
  const child = spawn('xz', ['-c'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(plain);
  return buffer(child.stdout);
}
