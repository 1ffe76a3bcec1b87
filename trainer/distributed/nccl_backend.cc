#include "trainer/distributed/nccl_backend.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstring>
#include <new>

namespace genoserve {
namespace {

// c10d declares the class in a header that needs CUDA's; its constructors are exported all the same. Only they are
// called by name: all else goes through the virtual functions of c10d::Backend, its first base. Objects are made in
// more memory than any version of LibTorch's needs (about 3 KB in 2.11).
constexpr size_t kRoom = 64 << 10;
constexpr char kMakeOptions[] = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";
constexpr char kMakeBackend[] =
    "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_"
    "EEEEiiNS2_INS0_7OptionsENS5_IS8_EEEE";

template <typename Function>
Function Find(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

// Zeroed memory, which the object's own destructor frees.
void* Room() { return std::memset(::operator new(kRoom), 0, kRoom); }

}  // namespace

c10::intrusive_ptr<c10d::Backend> MakeNcclBackend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  std::chrono::milliseconds timeout) {
  using Options = c10d::Backend::Options;
  // intrusive_ptr is passed by reference to a copy, whatever it points to.
  const auto make_options = Find<void (*)(void*, bool)>(kMakeOptions);
  const auto make_backend =
      Find<void (*)(void*, c10::intrusive_ptr<c10d::Store>, int, int, c10::intrusive_ptr<Options>)>(kMakeBackend);
  if (make_options == nullptr || make_backend == nullptr) return nullptr;
  void* options_room = Room();
  make_options(options_room, false);
  const auto options = c10::intrusive_ptr<Options>::unsafe_steal_from_new(static_cast<Options*>(options_room));
  options->timeout = timeout;
  void* room = Room();
  make_backend(room, store, rank, size, options);
  return c10::intrusive_ptr<c10d::Backend>::unsafe_steal_from_new(static_cast<c10d::Backend*>(room));
}

}  // namespace genoserve
