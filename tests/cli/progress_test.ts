import { assert, assertEquals } from "@std/assert";
import { progress } from "../../cli/progress.ts";

function record(terminal: boolean) {
  let time = 0;
  const written: string[] = [];
  const bar = progress("Doing", {
    terminal,
    write: (text) => written.push(text),
    now: () => time,
  });
  return { bar, written, wait: (milliseconds: number) => (time += milliseconds) };
}

Deno.test("progress() elsewhere writes a line at most every five seconds, and the last state", () => {
  const { bar, written, wait } = record(false);
  for (let done = 0; done <= 100; done++) {
    bar.update(done, 100, `${done} cells`);
    wait(100);
  }
  bar.end();
  assertEquals(written, [
    "Doing 0% 0 cells\n",
    "Doing 50% 50 cells\n",
    "Doing 100% 100 cells\n",
  ]);
});

Deno.test("progress() on a terminal draws over its line and leaves no rest of a longer one", () => {
  const { bar, written, wait } = record(true);
  bar.update(1, 4, "a long note");
  wait(1000);
  bar.update(2, 4);
  bar.update(3, 4);
  wait(1000);
  bar.update(4, 4);
  bar.end();
  assertEquals(written.length, 4);
  assert(written.slice(0, 3).every((text) => text.startsWith("\rDoing [")));
  assert(written[1]!.length >= written[0]!.length);
  assert(written[1]!.includes("50% 0:01 left"));
  assert(written[2]!.includes(`[${"=".repeat(24)}] 100%`));
  assertEquals(written[3], "\n");
});

Deno.test("progress() shows hours that are left", () => {
  const { bar, written, wait } = record(true);
  wait(60_000);
  bar.update(1, 100);
  assert(written[0]!.includes("1% 1:39:00 left"), written[0]);
});

Deno.test("progress() of nothing, or past the total, is still a share", () => {
  const { bar, written } = record(false);
  bar.update(0, 0);
  bar.update(5, 4);
  bar.end();
  assertEquals(written, ["Doing 0%\n", "Doing 100%\n"]);
});

Deno.test("progress() that was never updated writes nothing", () => {
  for (const terminal of [true, false]) {
    const { bar, written } = record(terminal);
    bar.end();
    assertEquals(written, []);
  }
});
