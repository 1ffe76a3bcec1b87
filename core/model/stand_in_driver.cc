// Stands in for NVIDIA's driver in tests: it shows one GPU, of compute capability 9.0, and does nothing else.
extern "C" {

int cuInit(unsigned /*flags*/) { return 0; }

int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}

int cuDeviceGet(int* device, int /*ordinal*/) {
  *device = 0;
  return 0;
}

int cuDeviceGetAttribute(int* value, int attribute, int /*device*/) {
  *value = attribute == 75 ? 9 : 0;
  return 0;
}

}  // extern "C"
