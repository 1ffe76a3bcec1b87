// S3 servers of several makes, run by tests on loopback.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/store/aws_environment.h"

namespace genoserve {

/// A server program. It ends with this object, or with the test.
class S3Server {
 public:
  enum class Make { kMoto, kMinio };

  /// The makes that scripts/setup and scripts/soak have installed.
  static std::vector<Make> Installed();
  /// One that the tests of a program share; started when it is first asked for.
  static S3Server& Shared(Make make);

  /// Files in PEM of a server that is reached by https.
  struct Tls {
    std::string certificate;
    std::string key;
  };

  /// Returns when it answers. A server that does not start aborts the test, with what it said. `tls` is for moto.
  explicit S3Server(Make make, const Tls& tls = {});
  /// Prints what the server said where a test has failed.
  ~S3Server();
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  int port() const { return port_; }
  /// "http://127.0.0.1:port", or https.
  std::string endpoint() const;
  /// The variables that give its users' credentials, for other programs and for this one.
  std::vector<std::pair<std::string, std::string>> variables() const;
  /// The same, and no other variables.
  Environment environment() const;
  /// Makes a bucket; it may be there already.
  void MakeBucket(const std::string& bucket);

 private:
  // Whether the program said where it listens.
  bool Start() ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);
  void Listen(int output) ABSL_LOCKS_EXCLUDED(mutex_);

  const Make make_;
  const Tls tls_;
  const std::string folder_;  // for its files
  int port_ = 0;
  pid_t pid_ = -1;
  std::thread listener_;
  absl::Mutex mutex_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

/// "moto" or "minio".
std::string MakeName(S3Server::Make make);

}  // namespace genoserve
