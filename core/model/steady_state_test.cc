// That a loaded generator makes tiles without allocating: this binary's operator new counts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "core/model/generator.h"
#include "core/model/test_models.h"

namespace {

thread_local size_t allocations = 0;

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/, std::align_val_t /*alignment*/) noexcept { std::free(memory); }

namespace genoserve {
namespace {

TEST(SteadyStateTest, TilesAreMadeWithoutAllocations) {
  const std::vector<double> phenotypes = {21, 1};
  for (const v1::Manifest& manifest : {SmallAcgan(1100, 4), SmallWganGp(1100)}) {
    for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      const auto generator = MakeGenerator(manifest, RandomWeights(manifest, 1), {.precision = precision}).value();
      const std::vector<SampleSpec> samples(generator->max_tile_samples(),
                                            SampleSpec{.seed = 1, .sample = 2, .label = 0, .phenotypes = phenotypes});
      GenotypeMatrix rows(generator->packing(), samples.size() * RowsPerSample(generator->packing()), 1100);
      const std::vector<uint32_t> blocks = {1};
      ASSERT_TRUE(generator->Generate(samples, {}, rows).ok());
      const size_t before = allocations;
      bool ok = true;
      for (int i = 0; i < 3; ++i) {
        ok = ok && generator->Generate(samples, {}, rows).ok();
        ok = ok && generator->Generate(samples, blocks, rows).ok();
      }
      EXPECT_EQ(allocations, before);
      EXPECT_TRUE(ok);
    }
  }
  EXPECT_GT(allocations, 0U) << "nothing is counted";
}

}  // namespace
}  // namespace genoserve
