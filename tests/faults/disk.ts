/**
 * Small disks of memory, to fill and to forbid.
 *
 * @module
 */

/** A mounted disk. */
export interface Disk extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Gives it another size. */
  resize(kilobytes: number): void;
  /** Lets nobody write any more. */
  forbidWriting(): void;
}

/** Why tests that need a disk are skipped here; null where they can run. */
export const noDisk: string | null = whyNot();

/** Mounts an empty disk, for as long as the returned value lives. */
export function mountDisk(kilobytes: number): Disk {
  const path = Deno.makeTempDirSync();
  mount("-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", path);
  const unmount = (): void => {
    globalThis.removeEventListener("unload", unmount);
    command("umount", "--lazy", path);
    Deno.removeSync(path);
  };
  globalThis.addEventListener("unload", unmount); // where a test ends the process
  return {
    path,
    resize: (size) => mount("-o", `remount,size=${size}k`, path),
    forbidWriting: () => mount("-o", "remount,ro", path),
    [Symbol.dispose]: unmount,
  };
}

/** Names of the files in a folder and its folders, sorted; none if there is no such folder. */
export function namesIn(folder: string, prefix = ""): string[] {
  const names: string[] = [];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) names.push(...namesIn(`${folder}/${name}`, `${prefix}${name}/`));
      else names.push(prefix + name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

function whyNot(): string | null {
  if (Deno.build.os !== "linux") return "small disks are mounted on Linux only";
  try {
    mountDisk(64)[Symbol.dispose]();
    return null;
  } catch (error) {
    return `mounting a disk is not permitted here: ${(error as Error).message}`;
  }
}

function mount(...args: string[]): void {
  command("mount", ...args);
}

function command(name: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(name, { args }).outputSync();
  if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr).trim()}`);
}
