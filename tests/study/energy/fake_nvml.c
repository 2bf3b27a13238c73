/* A driver with one board, told by the environment what the board can do. */
#include <stdlib.h>
#include <string.h>

static int is(const char *name, const char *value) {
  const char *found = getenv(name);
  return found && !strcmp(found, value);
}
static unsigned long long energy = 1000;
int nvmlInit_v2(void) { return is("FAKE_NVML", "no driver") ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "Not Found"; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **board) {
  *board = &energy;
  return index == 0 ? 0 : 6;
}
int nvmlDeviceGetTotalEnergyConsumption(void *board, unsigned long long *millijoules) {
  *millijoules = *(unsigned long long *)board += 2500;
  return is("FAKE_NVML", "power only") || is("FAKE_NVML", "lost") ? 3 : 0;
}
int nvmlDeviceGetPowerUsage(void *board, unsigned *milliwatts) {
  static int reads = 0;
  *milliwatts = 80000;
  return is("FAKE_NVML", "lost") && ++reads > 2 ? 15 : 0;
}
