import { assertEquals, assertRejects } from "@std/assert";
import { PeerError, startPeer } from "../../../cli/peers/process.ts";
import { alternatePasses, type Work } from "../../../lib/study/pass_times.ts";

function start(behaviour: string, signal?: AbortSignal) {
  const script = new URL("fake_peer.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--no-lock", script, behaviour];
  return startPeer({ engine: "fake", command: Deno.execPath(), args, needs: "Deno" }, signal);
}

const work: Work = { kind: "pass", context: 64, tokens: 5 };

Deno.test("a peer is named after its version, answers each request, and ends when disposed of", async () => {
  await using peer = await start("working");
  assertEquals(peer.name, "fake 1.2");
  assertEquals(await peer.time(work), 50);
  assertEquals(await peer.time({ ...work, tokens: 2 }), 20);
});

Deno.test("a peer's passes alternate with those of others", async () => {
  await using peer = await start("working");
  const order: string[] = [];
  const timers = [
    { name: "own", time: () => (order.push("own"), Promise.resolve(50)) },
    { name: peer.name, time: (work: Work) => (order.push("peer"), peer.time(work)) },
  ];
  const times = await Array.fromAsync(alternatePasses(timers, [work], { repeats: 1 }));
  assertEquals(order, ["own", "own", "peer", "peer", "own", "own", "peer", "peer"]);
  assertEquals(times.at(-1), { name: "fake 1.2", ...work, milliseconds: [50] });
});

for (
  const [behaviour, message] of [
    ["silent", "Cannot time fake as its process ended: see what it wrote above"],
    ["absent", "Cannot time fake as it is not installed: install it"],
  ] as const
) {
  Deno.test(`a peer that is ${behaviour} at its start is an error that says so`, async () => {
    await assertRejects(() => start(behaviour), PeerError, message);
  });
}

for (
  const [behaviour, message] of [
    ["dying", "Cannot time fake as its process ended"],
    ["failing", "Cannot time fake as it has no memory left"],
  ] as const
) {
  Deno.test(`a peer that is ${behaviour} at work is an error that says so`, async () => {
    await using peer = await start(behaviour);
    await assertRejects(() => peer.time(work), PeerError, message);
  });
}

Deno.test("a peer that an interruption ended is an interruption", async () => {
  const reason = new DOMException("Interrupted", "AbortError");
  const error = await assertRejects(() => start("silent", AbortSignal.abort(reason)));
  assertEquals(error, reason);
});

Deno.test("a peer whose command is missing is an error that says what brings it", async () => {
  const program = { engine: "fake", command: "no-such-command", args: [], needs: "Fake 2" };
  await assertRejects(
    () => startPeer(program),
    PeerError,
    "Cannot time fake as there is no no-such-command: install Fake 2",
  );
});
