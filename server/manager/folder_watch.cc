#include "server/manager/folder_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"
#include "core/store/label_file.h"

namespace genoserve {
namespace {

// Of folders: something was made in them, moved to or from them, or removed; of files: nothing, since a manifest and a
// label come by a rename.
constexpr uint32_t kEvents = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

}  // namespace

std::unique_ptr<FolderWatch> FolderWatch::Start(const std::string& store_url, std::function<void()> on_change) {
  if (absl::StrContains(store_url, "://")) return nullptr;
  const int inotify = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0) return nullptr;
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  if (stop < 0) {
    ::close(inotify);
    return nullptr;
  }
  return std::unique_ptr<FolderWatch>(new FolderWatch(store_url, std::move(on_change), inotify, stop));
}

FolderWatch::FolderWatch(std::string folder, std::function<void()> on_change, int inotify, int stop)
    : folder_(std::move(folder)), on_change_(std::move(on_change)), inotify_(inotify), stop_(stop) {
  WatchAll();
  thread_ = std::thread([this] { Run(); });
}

FolderWatch::~FolderWatch() {
  const uint64_t one = 1;
  // Cannot fail: the counter is at 0.
  if (::write(stop_, &one, sizeof(one)) == sizeof(one)) thread_.join();
  ::close(inotify_);
  ::close(stop_);
}

// The store, its models, their labels, and the versions that have no manifest yet. Watching twice does nothing.
void FolderWatch::WatchAll() {
  const FileSystem& files = FileSystem::Posix();
  const auto watch = [this](const std::string& folder) {
    return ::inotify_add_watch(inotify_, folder.c_str(), kEvents);
  };
  watch(folder_);
  const auto models = files.ListFolder(folder_);
  if (!models.ok()) return;
  std::map<std::string, int> unpublished;
  for (const std::string& model : *models) {
    const std::string model_folder = JoinPath(folder_, model);
    const auto names = files.ListFolder(model_folder);
    if (!names.ok()) continue;
    watch(model_folder);
    for (const std::string& name : *names) {
      const std::string folder = JoinPath(model_folder, name);
      if (name == kLabelsFolder) {
        watch(folder);
      } else if (!files.Exists(JoinPath(folder, kManifestFile))) {
        unpublished[folder] = watch(folder);
      }
    }
  }
  // Versions never change once they are published: their watches are given back.
  for (const auto& [folder, descriptor] : unpublished_) {
    if (!unpublished.contains(folder)) ::inotify_rm_watch(inotify_, descriptor);
  }
  unpublished_ = std::move(unpublished);
}

void FolderWatch::Run() {
  std::array<pollfd, 2> polled = {pollfd{stop_, POLLIN, 0}, pollfd{inotify_, POLLIN, 0}};
  // Events themselves are not looked at: whatever they say, the store is looked at, and that finds out.
  alignas(inotify_event) std::array<char, 16 << 10> events;
  while (true) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    while (::read(inotify_, events.data(), events.size()) > 0) {
    }
    WatchAll();
    on_change_();
  }
}

}  // namespace genoserve
