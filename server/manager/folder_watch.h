// Notices at once that a version was published into a folder, where the file system tells (inotify does so on local
// disks, for what this machine writes). Looking from time to time stays what counts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace genoserve {

/// Watches a store's folder, the folders of its models and those of versions that are being written.
class FolderWatch {
 public:
  /// Calls `on_change`, on a thread of its own, soon after a manifest or a label has come or gone. Null where the URL
  /// is not that of a folder, or the system gives no watch. Changes in folders for which it gives none are noticed by
  /// the next look.
  static std::unique_ptr<FolderWatch> Start(const std::string& store_url, std::function<void()> on_change);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  FolderWatch(std::string folder, std::function<void()> on_change, int inotify, int stop);

  void Run();
  void WatchAll();

  const std::string folder_;
  const std::function<void()> on_change_;
  const int inotify_;
  const int stop_;                          // an eventfd
  std::map<std::string, int> unpublished_;  // watches of versions without a manifest, by folder
  std::thread thread_;
};

}  // namespace genoserve
