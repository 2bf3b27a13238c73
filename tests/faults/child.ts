/**
 * Real processes: a module of this project run by Deno.
 *
 * @module
 */

/** Where commands run: the project's root. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** What a process left. */
export interface Finished {
  /** The exit code. */
  readonly code: number;
  /** What it printed. */
  readonly out: string;
  /** What it complained of. */
  readonly err: string;
}

/** How to run a command. */
export interface RunOptions {
  /** The environment; what is not here is inherited, unless `alone`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether nothing of the environment is inherited. */
  readonly alone?: boolean;
  /** Milliseconds until the process is killed. Default 60,000. */
  readonly limit?: number;
}

/** Runs a command to its end, or kills it when its time is over. */
export async function run(
  command: string,
  args: readonly string[],
  { env = {}, alone = false, limit = 60_000 }: RunOptions = {},
): Promise<Finished> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    clearEnv: alone,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  try {
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a module of tests/faults with all permissions. */
export function runHere(
  module: string,
  args: readonly string[],
  options: RunOptions & { readonly v8?: string } = {},
): Promise<Finished> {
  return run(Deno.execPath(), denoArguments(module, args, options.v8), options);
}

/** What to hand to Deno to run a module of tests/faults. */
export function denoArguments(module: string, args: readonly string[], v8?: string): string[] {
  const path = new URL(`tests/faults/${module}`, ROOT).pathname;
  return ["run", "-A", "--quiet", ...(v8 ? [`--v8-flags=${v8}`] : []), path, ...args];
}

/** A task of deno.json as a user runs it, its command's permissions included. */
export async function taskArguments(task: string): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const [deno, ...args] = config.tasks[task].command.split(" ");
  if (deno !== "deno") throw new Error(`the task ${task} does not start with deno`);
  return args;
}
