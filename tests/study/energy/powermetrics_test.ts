import { assertAlmostEquals, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { EnergyMeterError } from "../../../lib/study/energy/meter.ts";
import { openPowermetrics } from "../../../lib/study/energy/powermetrics.ts";

/** A program that writes what `powermetrics` would; it is deleted with the test. */
async function program(script: string) {
  const command = await Deno.makeTempFile();
  await Deno.writeTextFile(command, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(command, 0o755);
  return { command, [Symbol.asyncDispose]: () => Deno.remove(command) };
}

const sample = (power: string) => `
  echo "*** Sampled system activity (Sat Feb 14 00:42:06 2026 -0500) (500.50ms elapsed) ***"
  echo
  echo "CPU Power: 70 mW"
  echo "${power}"`;

const ignore = Deno.build.os === "windows"; // it has no scripts of this kind, and no powermetrics

for (
  const [chip, power, watts] of [
    ["an Apple chip", "Combined Power (CPU + GPU + ANE): 1500 mW", 1.5],
    ["an Intel package", "Intel energy model derived package power (CPUs+GT+SA): 8.14W", 8.14],
  ] as const
) {
  Deno.test({
    name: `powermetrics adds up power times time of ${chip}`,
    ignore,
    fn: async () => {
      await using fake = await program(`while true; do ${sample(power)}; sleep 0.02; done`);
      await using meter = await openPowermetrics(fake);
      const before = (await meter.read())!;
      const after = (await meter.read())!;
      const seconds = after.seconds - before.seconds;
      assertGreater(seconds, 0.5);
      assertAlmostEquals(after.joules - before.joules, watts * seconds, 1e-9);
    },
  });
}

Deno.test({
  name: "a program that ends reads null from then on",
  ignore,
  fn: async () => {
    const power = sample("Combined Power (CPU + GPU + ANE): 1500 mW");
    await using fake = await program(`${power}\nsleep 0.05`);
    await using meter = await openPowermetrics(fake);
    assertEquals([await meter.read(), await meter.read()], [null, null]);
  },
});

Deno.test({
  name: "a program that gives no sample is no meter",
  ignore,
  fn: async () => {
    await using fake = await program(
      `echo "powermetrics must be invoked as the superuser" >&2; exit 1`,
    );
    await assertRejects(() => openPowermetrics(fake), EnergyMeterError, "only root may run it");
  },
});

Deno.test({
  name: "a program not permitted is no meter",
  permissions: { run: false },
  fn: async () => {
    const opening = openPowermetrics({ command: Deno.build.os === "windows" ? "cmd" : "sh" });
    await assertRejects(() => opening, EnergyMeterError, "--allow-run");
  },
});
