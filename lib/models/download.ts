/**
 * Opens a file on the web, from its start or from where an earlier download was cut off.
 *
 * @module
 */

import { downloadFile } from "@huggingface/hub";
import type { Source } from "./catalog.ts";

/** A file that is coming in. */
export interface Download {
  /** The offset in the file of the first byte that comes. */
  readonly from: number;
  /** The bytes from there to the file's end. */
  readonly body: ReadableStream<Uint8Array>;
}

/** How to wait for a server. */
export interface DownloadOptions {
  /** Stops the download, its body included. */
  readonly signal: AbortSignal;
  /** Milliseconds until the server must have begun to answer: closed networks may swallow calls. */
  readonly patience: number;
}

/**
 * Opens a source.
 *
 * @param source A web server's or the Hub's.
 * @param from The offset to start at, in bytes. The server may start at 0 nevertheless.
 * @param options How to wait.
 * @returns The download.
 * @throws {Error} If the server does not answer, or not with the file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const source = { kind: "http", url: "data:,abc" } as const;
 * const { body } = await openDownload(source, 0, {
 *   signal: AbortSignal.timeout(1000),
 *   patience: 1000,
 * });
 * assertEquals(await new Response(body).text(), "abc");
 * ```
 */
export function openDownload(
  source: Exclude<Source, { kind: "pip" }>,
  from: number,
  options: DownloadOptions,
): Promise<Download> {
  const fetch = impatientFetch(options);
  return source.kind === "http" ? openHttp(source, from, fetch) : openHub(source, from, fetch);
}

async function openHttp(
  { url }: Source & { kind: "http" },
  from: number,
  fetch: typeof globalThis.fetch,
): Promise<Download> {
  const response = await fetch(url, from > 0 ? { headers: { Range: `bytes=${from}-` } } : {});
  if (response.ok && response.body !== null) {
    const starts = response.headers.get("Content-Range")?.startsWith(`bytes ${from}-`);
    if (response.status === 200) return { from: 0, body: response.body };
    if (response.status === 206 && starts) return { from, body: response.body };
  }
  await response.body?.cancel();
  throw new Error(`the server answered ${response.status} ${response.statusText}`.trim());
}

async function openHub(
  { repository, file, revision = "main", endpoint }: Source & { kind: "hub" },
  from: number,
  fetch: typeof globalThis.fetch,
): Promise<Download> {
  const blob = await downloadFile({
    repo: repository,
    path: file,
    revision,
    fetch,
    // The Hub serves such files over plain HTTP too, with ranges and from fewer hosts.
    xet: false,
    ...(endpoint === undefined ? {} : { hubUrl: endpoint }),
  });
  if (blob === null) throw new Error(`the repository has no file ${file}`);
  return { from, body: blob.slice(from).stream() };
}

/** A fetch that gives up when no answer begins in time; the body may then take as long as it likes. */
function impatientFetch({ signal, patience }: DownloadOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`no answer within ${patience / 1000} s`)),
      patience,
    );
    try {
      return await fetch(input, { ...init, signal: AbortSignal.any([signal, late.signal]) });
    } finally {
      clearTimeout(timer);
    }
  };
}
