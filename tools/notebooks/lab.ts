/**
 * JupyterLab on a copy of the notebooks: as a reader has it, and apart from what the reader has.
 *
 * @module
 */

import { basename, delimiter, join } from "node:path";
import { listNotebooks, NotebookError, readNotebook, writeNotebook } from "./notebook.ts";

/** Seconds within which the server answers. */
const START = 60;

/** A server that runs, and its folders. Disposing of it ends its kernels and deletes the copy. */
export interface Lab extends AsyncDisposable {
  /** Address of a notebook, with the token. */
  address(notebook: string): string;
  /** Sets the notebooks' parameters for cells that run from now on. */
  setParameters(parameters: Readonly<Record<string, unknown>>): Promise<void>;
  /** Folder for records, empty at first. */
  readonly records: string;
}

/**
 * Starts JupyterLab with the Deno kernel on a copy of the notebooks; the rest of the project is
 * linked. The user's settings, kernels and records are left alone.
 *
 * @param command Path of `jupyter-lab`.
 * @param root The project's folder.
 * @returns The server, once it answers.
 * @throws {NotebookError} If it does not start.
 */
export async function startLab(command: string, root: string): Promise<Lab> {
  const home = await Deno.makeTempDir();
  const [project, parameters] = [join(home, "project"), join(home, "parameters.json")];
  await copyProject(root, project);
  await Deno.writeTextFile(parameters, "{}");
  await installKernel(home);
  await silenceNews(join(home, "config"));
  const [port, token] = [freePort(), crypto.randomUUID()];
  const server = new Deno.Command(command, {
    args: [
      "--no-browser",
      `--ServerApp.port=${port}`,
      "--ServerApp.port_retries=0",
      "--ServerApp.allow_root=True",
      "--LabApp.expose_app_in_browser=True",
    ],
    cwd: project,
    env: {
      JUPYTER_TOKEN: token,
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      // Where `deno jupyter --install` puts kernels on Linux and on macOS.
      JUPYTER_PATH: [".local/share/jupyter", "Library/Jupyter"].map((path) => join(home, path))
        .join(delimiter),
      SPECBOUND_PARAMETERS: parameters,
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true, // else Ctrl-C would reach it too, and it would ask whether that was meant
  }).spawn();
  let ended = false;
  server.status.then(() => ended = true);
  const lab: Lab = {
    records: join(home, "records"),
    address: (notebook) =>
      `http://127.0.0.1:${port}/lab/tree/notebooks/${notebook}?reset&token=${token}`,
    setParameters: (values) => Deno.writeTextFile(parameters, JSON.stringify(values)),
    async [Symbol.asyncDispose]() {
      if (!ended) server.kill("SIGTERM");
      await server.status;
      await Deno.remove(home, { recursive: true });
    },
  };
  for (let i = 0; i < 4 * START && !ended; i++) {
    if (await responds(`http://127.0.0.1:${port}/api`)) return lab;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await lab[Symbol.asyncDispose]();
  throw new NotebookError(
    `Cannot start JupyterLab as it ended or did not answer within ${START} s`,
  );
}

/** Copies the notebooks, without what they showed: what is seen is then of this run. */
async function copyProject(root: string, project: string): Promise<void> {
  await Deno.mkdir(join(project, "notebooks"), { recursive: true });
  for await (const { name } of Deno.readDir(root)) {
    if (name.startsWith(".") || name === "notebooks") continue;
    await Deno.symlink(join(root, name), join(project, name));
  }
  for (const file of await listNotebooks(join(root, "notebooks"), "")) {
    const notebook = await readNotebook(file);
    const cells = notebook.cells.map((cell) =>
      cell.cell_type === "code" ? { ...cell, execution_count: null, outputs: [] } : cell
    );
    const copy = join(project, "notebooks", basename(file));
    await Deno.writeTextFile(copy, writeNotebook({ ...notebook, cells }));
  }
}

/** As a reader does it, but for the place, which follows from HOME. */
async function installKernel(home: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--install"],
    env: { HOME: home },
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) {
    throw new NotebookError("Cannot install the kernel as deno jupyter --install failed");
  }
}

/** A new Lab asks whether it may fetch news: a box that would lie over the figures. */
async function silenceNews(config: string): Promise<void> {
  await Deno.mkdir(join(config, "labconfig"), { recursive: true });
  await Deno.writeTextFile(
    join(config, "labconfig/page_config.json"),
    JSON.stringify({
      disabledExtensions: { "@jupyterlab/apputils-extension:announcements": true },
    }),
  );
}

async function responds(address: string): Promise<boolean> {
  try {
    const response = await fetch(address);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // it does not listen yet
  }
}

/** A port that was free a moment ago; the server binds it at once. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
