/**
 * The Deno kernel, driven as Jupyter drives it: messages over ZeroMQ. Jupyter's own clients need Python,
 * and stop listening when a cell is done, when this kernel may still have outputs to send.
 *
 * @module
 */

import { createHmac, randomUUID } from "node:crypto";
import { Dealer, Subscriber } from "zeromq";
import { NotebookError, type Output } from "./notebook.ts";

/** A running kernel. Its variables live from one cell to the next. */
export interface Kernel extends AsyncDisposable {
  /**
   * Runs a cell and waits until all that it showed has arrived.
   *
   * @throws {NotebookError} If the cell throws, ends in an expression, or takes too long.
   */
  run(code: string): Promise<Output[]>;
}

/** Where and how a kernel runs. */
export interface KernelOptions {
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** Seconds that a cell may take. Default 600. */
  readonly timeout?: number;
}

/** A message of Jupyter's protocol, as much as is used. */
interface Message {
  readonly type: string;
  readonly parent: string | undefined;
  // deno-lint-ignore no-explicit-any
  readonly content: any;
}

const DELIMITER = "<IDS|MSG>";
const PORTS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;
/** Milliseconds between two greetings of a kernel that is starting. */
const GREETING = 300;

/**
 * Starts the kernel of the Deno that runs this.
 *
 * @param options Folder; time limit of a cell.
 * @returns The kernel, once it answers.
 * @throws {NotebookError} If it does not start.
 */
export async function startKernel(options: KernelOptions): Promise<Kernel> {
  const connection = { ...freePorts(), ip: "127.0.0.1", transport: "tcp", key: randomUUID() };
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(
    file,
    JSON.stringify({ ...connection, signature_scheme: "hmac-sha256", kernel_name: "deno" }),
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--kernel", "--conn", file],
    cwd: options.folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const kernel = new ConnectedKernel(process, connection, options.timeout ?? 600);
  try {
    await kernel.greet();
    return kernel;
  } catch (error) {
    await kernel[Symbol.asyncDispose]();
    throw error;
  } finally {
    await Deno.remove(file);
  }
}

class ConnectedKernel implements Kernel {
  readonly #process: Deno.ChildProcess;
  readonly #key: string;
  readonly #timeout: number;
  readonly #shell = new Dealer({ linger: 0 });
  readonly #published = new Subscriber({ linger: 0 });
  #ended = false;

  constructor(
    process: Deno.ChildProcess,
    connection: Readonly<Record<typeof PORTS[number], number>> & { readonly key: string },
    timeout: number,
  ) {
    this.#process = process;
    this.#key = connection.key;
    this.#timeout = timeout;
    this.#shell.connect(`tcp://127.0.0.1:${connection.shell_port}`);
    this.#published.connect(`tcp://127.0.0.1:${connection.iopub_port}`);
    this.#published.subscribe();
    // A receive that waits for a kernel that has ended would wait for ever.
    process.status.then(() => {
      this.#ended = true;
      this.#shell.close();
      this.#published.close();
    });
  }

  /** Greets until the kernel is heard on both sockets: what it publishes before is lost. */
  async greet(): Promise<void> {
    let heard = false;
    const listening = this.#receive(this.#published).then(() => heard = true);
    while (!heard) {
      await this.#send("kernel_info_request", {});
      await Promise.race([listening, new Promise((resolve) => setTimeout(resolve, GREETING))]);
    }
    // The answers to all greetings are read before the first cell's.
    await this.#execute(randomUUID());
  }

  async run(code: string): Promise<Output[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new NotebookError(`Cannot wait as a cell took more than ${this.#timeout} s`)),
        1000 * this.#timeout,
      );
    });
    try {
      return await Promise.race([this.#collect(code), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Runs a cell, then a fence: outputs may trail behind the word that a cell is done, but not behind
   * the outputs of a later cell.
   */
  async #collect(code: string): Promise<Output[]> {
    const reply = await this.#execute(code);
    const fence = randomUUID();
    await this.#execute(
      `await Deno.jupyter.broadcast("display_data", { data: { fence: "${fence}" }, metadata: {}, transient: {} });`,
    );
    const messages: Message[] = [];
    for (;;) {
      const message = await this.#receive(this.#published);
      if (message.content.data?.fence === fence) break;
      messages.push(message);
    }
    if (reply.content.status !== "ok") {
      throw new NotebookError(`${reply.content.ename}: ${reply.content.evalue}`);
    }
    return outputsOf(messages);
  }

  /** Sends code and waits for the answer to it, past answers to anything before. */
  async #execute(code: string): Promise<Message> {
    const id = await this.#send("execute_request", {
      code,
      silent: false,
      store_history: false,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    });
    for (;;) {
      const message = await this.#receive(this.#shell);
      if (message.parent === id) return message;
    }
  }

  async #send(type: string, content: unknown): Promise<string> {
    const id = randomUUID();
    const header = {
      msg_id: id,
      session: this.#key,
      username: "specbound",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    await this.#shell.send([DELIMITER, hmac.digest("hex"), ...parts]);
    return id;
  }

  async #receive(socket: Dealer | Subscriber): Promise<Message> {
    try {
      const frames = (await socket.receive()).map(String);
      const [, header, parent, , content] = frames.slice(frames.indexOf(DELIMITER) + 1);
      return {
        type: JSON.parse(header!).msg_type,
        parent: JSON.parse(parent!).msg_id,
        content: JSON.parse(content!),
      };
    } catch (error) {
      if (this.#ended) throw new NotebookError("Cannot go on as the kernel ended");
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** What a cell showed, from what the kernel published. */
function outputsOf(messages: readonly Message[]): Output[] {
  const outputs: Output[] = [];
  const named = new Map<string, number>();
  for (const { type, content } of messages) {
    if (type === "stream") append(outputs, content.name, content.text);
    if (type === "execute_result") {
      throw new NotebookError(
        "Cannot keep a cell that ends in an expression, whose value notebooks may lose: show it",
      );
    }
    if (type !== "display_data" && type !== "update_display_data") continue;
    const output = {
      output_type: "display_data" as const,
      data: Object.fromEntries(
        Object.entries<string>(content.data).map((
          [mime, text],
        ) => [mime, mime.startsWith("text/") ? linesOf(text) : text]),
      ),
      metadata: content.metadata,
    };
    const name = content.transient?.display_id;
    const earlier = named.get(name);
    if (type === "update_display_data" && earlier !== undefined) outputs[earlier] = output;
    else {
      if (name !== undefined) named.set(name, outputs.length);
      outputs.push(output);
    }
  }
  return outputs;
}

/** Printed text joins what was printed just before. */
function append(outputs: Output[], name: string, text: string): void {
  const last = outputs.at(-1);
  if (last?.output_type === "stream" && last.name === name) {
    outputs[outputs.length - 1] = { ...last, text: linesOf(last.text.join("") + text) };
  } else outputs.push({ output_type: "stream", name, text: linesOf(text) });
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Ports that were free a moment ago; the kernel binds them at once. */
function freePorts(): Record<typeof PORTS[number], number> {
  const listeners = PORTS.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return Object.fromEntries(PORTS.map((name, i) => [name, ports[i]])) as ReturnType<
    typeof freePorts
  >;
}
