import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Binding, OnnxRuntimeError, Runtime, Session, Tensor } from "../../lib/onnx/mod.ts";
import { run } from "../faults/child.ts";
import { mixer, scatter, slow, withGraph } from "./graphs.ts";

const floats = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7) * 3);

Deno.test("outputs equal those of the package's own interface, to the bit", async () => {
  using runtime = new Runtime({ threads: 2 }); // before the package opens its environment
  await withGraph(mixer, async (path) => {
    const { InferenceSession, Tensor: PackageTensor } = await import("onnxruntime-node");
    const oracle = await InferenceSession.create(path);
    using session = new Session(runtime, path);
    assertEquals(session.inputs, ["x"]);
    assertEquals(session.outputs, ["y"]);
    for (const rows of [1, 2, 5]) {
      using x = Tensor.allocate(runtime, "float32", [rows, 4]);
      using y = Tensor.allocate(runtime, "float32", [rows, 4]);
      using binding = new Binding(session);
      x.data.set(floats(rows * 4));
      binding.input("x", x);
      binding.output("y", y);
      await binding.run();
      const expected = await oracle.run({
        x: new PackageTensor("float32", x.data.slice(), [rows, 4]),
      });
      assertEquals([...y.data], [...expected["y"]!.data as Float32Array]);
    }
    await oracle.release();
  });
});

Deno.test("a tensor bound as input and output is updated in place", async () => {
  using runtime = new Runtime({ threads: 1 });
  await withGraph(scatter, async (path) => {
    using session = new Session(runtime, path);
    using cache = Tensor.allocate(runtime, "float32", [2, 1, 4, 2]);
    using update = Tensor.allocate(runtime, "float32", [2, 1, 1, 2]);
    using slots = Tensor.allocate(runtime, "int64", [2]);
    using binding = new Binding(session);
    cache.data.fill(0);
    update.data.set([1, 2, 3, 4]);
    slots.data.set([0n, 3n]);
    binding.input("cache", cache);
    binding.input("update", update);
    binding.input("slots", slots);
    binding.output("new", cache);
    await binding.run();
    assertEquals([...cache.data], [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4]);
  });
});

Deno.test("the event loop lives while a graph runs", async () => {
  using runtime = new Runtime({ threads: 1 });
  await withGraph(slow, async (path) => {
    using session = new Session(runtime, path);
    using x = Tensor.allocate(runtime, "float32", [400, 400]);
    using y = Tensor.allocate(runtime, "float32", [400, 400]);
    using binding = new Binding(session);
    x.data.fill(1e-3);
    binding.input("x", x);
    binding.output("y", y);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const run = binding.run();
    await assertRejects(() => binding.run(), OnnxRuntimeError, "a run is under way");
    assertThrows(() => binding[Symbol.dispose](), OnnxRuntimeError, "a run is under way");
    await run;
    clearInterval(timer);
    assertGreater(ticks, 1);
  });
});

Deno.test("collecting garbage under a running graph changes nothing", async () => {
  using runtime = new Runtime({ threads: 2 });
  await withGraph(slow, async (path) => {
    using session = new Session(runtime, path);
    using x = Tensor.allocate(runtime, "float32", [64, 64]);
    using y = Tensor.allocate(runtime, "float32", [64, 64]);
    using binding = new Binding(session);
    x.data.set(floats(64 * 64).map((value) => value / 64));
    binding.input("x", x);
    binding.output("y", y);
    await binding.run();
    const expected = [...y.data];
    for (let round = 0; round < 20; round++) {
      y.data.fill(NaN);
      const run = binding.run();
      const litter = Array.from({ length: 2000 }, (_, i) => new Float64Array(i % 97));
      await run;
      assert(litter.length === 2000);
      assertEquals([...y.data], expected);
    }
  });
});

Deno.test("what the library refuses is an error in its own words", async () => {
  using runtime = new Runtime({ threads: 1 });
  assertThrows(() => new Session(runtime, "/no/such.onnx"), OnnxRuntimeError, "/no/such.onnx");
  await withGraph(mixer, async (path) => {
    using session = new Session(runtime, path);
    using binding = new Binding(session);
    using x = Tensor.allocate(runtime, "float32", [1, 5]);
    using y = Tensor.allocate(runtime, "float32", [1, 4]);
    assertThrows(() => binding.input("z", x), OnnxRuntimeError, "Cannot bind z");
    binding.input("x", x);
    binding.output("y", y);
    await assertRejects(() => binding.run(), OnnxRuntimeError, "Cannot run as ONNX Runtime says");
  });
  const provider = { name: "NoSuchProvider", options: { a: "b" } };
  await withGraph(mixer, (path) => {
    assertThrows(
      () => new Session(runtime, path, { provider }),
      OnnxRuntimeError,
      "NoSuchProvider",
    );
    return Promise.resolve();
  });
});

Deno.test("a view is the beginning of its tensor's memory", () => {
  using runtime = new Runtime({ threads: 1 });
  using tensor = Tensor.allocate(runtime, "int64", [2, 3]);
  using view = tensor.view([4]);
  tensor.data.set([1n, 2n, 3n, 4n, 5n, 6n]);
  assertEquals([...view.data], [1n, 2n, 3n, 4n]);
  assertThrows(() => tensor.view([7]), RangeError, "has more elements");
});

Deno.test("what was disposed cannot be used", async () => {
  using runtime = new Runtime({ threads: 1 });
  const tensor = Tensor.allocate(runtime, "float32", [1]);
  tensor[Symbol.dispose]();
  tensor[Symbol.dispose]();
  assertThrows(() => tensor.handle, ReferenceError, "disposed");
  await withGraph(mixer, async (path) => {
    using session = new Session(runtime, path);
    const binding = new Binding(session);
    binding[Symbol.dispose]();
    binding[Symbol.dispose]();
    await assertRejects(() => binding.run(), OnnxRuntimeError, "disposed");
  });
});

Deno.test("sessions, bindings and tensors give their memory back", async () => {
  const path = new URL("session_child.ts", import.meta.url).pathname;
  const { out, err } = await run(Deno.execPath(), ["run", "-A", "--quiet", path]);
  assertMatch(out, /^-?\d+\n$/, err);
  assertLess(Number(out), 64e6);
});
